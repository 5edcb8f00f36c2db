// Ctrl-C: commands that save their state stop between two steps, all others end at once.

/** Exit codes of a process that a signal ended, as shells count them. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Stops gently from now on: the first signal aborts, the second one ends the process.
 *
 * @param onStop - Called at the first signal.
 * @returns The signal for a verb, and the exit code of the process if it came.
 */
export function stopGently(onStop: () => void): { readonly signal: AbortSignal; readonly exitCode: () => number } {
  const controller = new AbortController();
  let code = 0;
  for (const [name, exitCode] of Object.entries(exitCodes)) {
    process.removeAllListeners(name);
    process.on(name, () => {
      if (code !== 0) process.exit(exitCode);
      code = exitCode;
      controller.abort();
      onStop();
    });
  }
  return { signal: controller.signal, exitCode: () => code };
}

/** Ends the process at the first signal, with the exit code of shells. */
export function stopAtOnce(): void {
  for (const [name, exitCode] of Object.entries(exitCodes)) {
    process.on(name, () => {
      process.exit(exitCode);
    });
  }
}
