// Progress on the error stream: bars in a terminal, one for each phase, and elsewhere a line for each phase.
import type { SingleBar } from 'cli-progress';

/** Progress of one phase after the other. */
export interface ProgressBars {
  /** Shows how much of a phase is done. */
  readonly show: (phase: string, done: number, total: number, left?: string) => void;
  /** Ends the bar. The terminal is then as before. */
  readonly stop: () => void;
}

/** Opens the progress. The package of the bars is loaded only where bars can be seen. */
export async function openProgress(quiet: boolean): Promise<ProgressBars> {
  if (quiet) return { show: () => undefined, stop: () => undefined };
  const startBar = process.stderr.isTTY ? await barStarter() : undefined;
  let bar: SingleBar | undefined;
  let shown = { phase: '', done: 0 };
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  process.once('exit', stop);
  return {
    show: (phase, done, total, left = '') => {
      // A phase that starts again, such as the evaluation of a second set, gets a bar of its own.
      const isNew = phase !== shown.phase || done < shown.done;
      if (isNew) stop();
      if (isNew && startBar === undefined) process.stderr.write(`${phase} …\n`);
      bar ??= startBar?.(phase, total);
      bar?.setTotal(total);
      bar?.update(done, { left });
      shown = { phase, done };
    },
    stop,
  };
}

async function barStarter(): Promise<(phase: string, total: number) => SingleBar> {
  const { default: progress } = await import('cli-progress');
  return (phase, total) => {
    const format = '{phase} {bar} {value}/{total} {left}';
    const bar = new progress.SingleBar({ format, barsize: 40, stream: process.stderr });
    bar.start(total, 0, { phase: phase.padEnd(12), left: '' });
    return bar;
  };
}
