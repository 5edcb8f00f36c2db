// Ctrl-C: commands that save their state stop between two steps, all others end at once.

/** Exit codes of a process that a signal ended, as shells count them. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

let react = endAtOnce;

/** Ends the process at a signal, unless a command has asked to stop gently. */
export function watchSignals(): void {
  for (const [name, exitCode] of Object.entries(exitCodes)) {
    process.on(name, () => {
      react(exitCode);
    });
  }
}

/**
 * Stops gently from now on: the first signal aborts, the second one ends the process.
 *
 * @param onStop - Called at the first signal.
 * @returns The signal for a verb, and the exit code of the process if it came.
 */
export function stopGently(onStop: () => void): { readonly signal: AbortSignal; readonly exitCode: () => number } {
  const controller = new AbortController();
  let code = 0;
  react = (exitCode) => {
    react = endAtOnce;
    code = exitCode;
    controller.abort();
    onStop();
  };
  return { signal: controller.signal, exitCode: () => code };
}

function endAtOnce(exitCode: number): void {
  process.exit(exitCode);
}
