// Fractions as parameters of kernels.

const fraction = new DataView(new ArrayBuffer(4));

/** Converts a number with a fraction to a parameter: its bits as a word. */
export function real(value: number): number {
  fraction.setFloat32(0, value);
  return fraction.getInt32(0);
}
