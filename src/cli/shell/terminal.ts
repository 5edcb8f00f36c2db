// Where a command writes: results on the standard output, all others on the error stream. Without a terminal there are no
// bars and no colours.
import type { DownloadProgress, Progress } from '../../index.ts';
import type { SingleBar } from 'cli-progress';

/** The outputs of one call of a command. */
export interface Terminal {
  /** Writes the result: as JSON with `--json`, else the lines. */
  result(data: unknown, lines: readonly string[]): void;
  /** Writes a line for people on the error stream; nothing with `--quiet`. */
  note(text: string): void;
  /** For `onProgress` of any verb. */
  readonly progress: (progress: Progress) => void;
  /** For `onProgress` of downloads. */
  readonly download: (progress: DownloadProgress) => void;
  /** For anything else that counts. */
  counter(phase: string): (done: number, total: number) => void;
  /** Ends the bar. */
  stop(): void;
}

const phases: Readonly<Record<Progress['phase'], string>> = {
  features: 'features',
  head: 'head',
  fineTune: 'fine-tuning',
  evaluate: 'evaluating',
};

/** Opens the outputs. The package of the bars is loaded only where bars can be seen. */
export async function openTerminal({
  quiet,
  json,
}: {
  readonly quiet: boolean;
  readonly json: boolean;
}): Promise<Terminal> {
  const hasBars = process.stderr.isTTY && !quiet;
  const Bar = hasBars ? (await import('cli-progress')).default.SingleBar : undefined;
  let bar: SingleBar | undefined;
  let shown = { phase: '', done: 0 };
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  const note = (text: string) => {
    stop();
    if (!quiet) process.stderr.write(`${text}\n`);
  };
  const show = (phase: string, done: number, total: number, left = '') => {
    // A phase that starts again, such as the evaluation of a second set, gets a bar of its own.
    const isNew = phase !== shown.phase || done < shown.done;
    if (isNew && Bar === undefined) note(`${phase} …`);
    if (isNew) stop();
    bar ??= Bar && startBar(new Bar(barOptions()), phase, total);
    bar?.update(done, { left });
    shown = { phase, done };
  };
  return {
    result: (data, lines) => {
      stop();
      process.stdout.write(`${json ? JSON.stringify(data, null, 2) : lines.join('\n')}\n`);
    },
    note,
    progress: ({ phase, done, total, secondsLeft }) => {
      show(phases[phase], done, total, secondsLeft === undefined ? '' : `${String(Math.ceil(secondsLeft))} s left`);
    },
    download: ({ received, total }) => {
      show('download MB', megabytes(received), megabytes(total ?? received));
    },
    counter: (phase) => (done, total) => {
      show(phase, done, total);
    },
    stop,
  };
}

function barOptions() {
  return { format: '{phase} {bar} {value}/{total} {left}', barsize: 40, stream: process.stderr };
}

function startBar(bar: SingleBar, phase: string, total: number): SingleBar {
  bar.start(total, 0, { phase: phase.padEnd(12), left: '' });
  return bar;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
