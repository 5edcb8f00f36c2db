// Where a command writes: results on the standard output, everything else on the error stream.
import type { DownloadProgress, Progress } from '../../index.ts';
import { openProgress } from './progressBars.ts';

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
  /** Ends the progress bar. */
  stop(): void;
}

const phases: Readonly<Record<Progress['phase'], string>> = {
  features: 'features',
  head: 'head',
  fineTune: 'fine-tuning',
  evaluate: 'evaluating',
};

/** Opens the outputs. */
export async function openTerminal({
  quiet,
  json,
}: {
  readonly quiet: boolean;
  readonly json: boolean;
}): Promise<Terminal> {
  const { show, stop } = await openProgress(quiet);
  return {
    result: (data, lines) => {
      stop();
      process.stdout.write(`${json ? JSON.stringify(data, null, 2) : lines.join('\n')}\n`);
    },
    note: (text) => {
      if (quiet) return;
      stop();
      process.stderr.write(`${text}\n`);
    },
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

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
