// Yields to the event loop during a long computation, for timers, input and signals.

/** Longest computation between two yields, in milliseconds. */
const stretch = 10;

/**
 * Makes a function that resolves at once, or, when the last yield was too long ago, after one pass of the event loop.
 */
export function takeTurns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < stretch) return;
    await nextTurn();
    last = performance.now();
  };
}

/** Waits for one pass of the event loop. Browsers hold timers back, 4 ms each once they are nested; messages they do not. */
function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
