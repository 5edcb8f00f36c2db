// Lets other work of the program have its turn during a long computation: timers, input, signals.

/** Longest stretch of computation between two turns, in milliseconds. */
const stretch = 20;

/** Makes a function that resolves at once, or, when the last turn was too long ago, after a turn of the event loop. */
export function takeTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < stretch) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
