// Yields to the event loop during a long computation, for timers, input and signals.

/** Longest computation between two yields, in milliseconds. */
const stretch = 20;

/**
 * Makes a function that resolves at once, or, when the last yield was too long ago, after one pass of the event loop.
 */
export function takeTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < stretch) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
