// Keeps the page for visits without a network.

/** Registers the service worker of the built page. */
export function goOffline(): void {
  if (!('serviceWorker' in navigator)) return;
  // Some browsers refuse in private windows, and the development server has none; the page works without.
  navigator.serviceWorker.register('serviceWorker.js').catch(() => undefined);
}
