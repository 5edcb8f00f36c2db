// Estimates how much memory a page may use. No browser reports the free memory.

/** Assumed where a browser reports nothing: Firefox, Safari, and pages that are neither https nor localhost. */
const unknown = 2 ** 30;

/**
 * Half of the device's memory, which Chromium's browsers report in steps up to 8 GiB (32 in newer ones); else 1 GiB.
 */
export function freeMemory(): number {
  const told = 'deviceMemory' in navigator ? Number(navigator.deviceMemory) : 0;
  return told > 0 ? (told / 2) * 2 ** 30 : unknown;
}
