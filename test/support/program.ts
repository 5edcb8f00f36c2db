// The command line program, built from the sources as the package has it, in processes of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { repository } from './packed.ts';

/** What a process did. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** A built program. */
export interface Program {
  /** The folder of the build; remove it at the end. */
  readonly folder: string;
  /** Starts the program in a folder. */
  start(words: readonly string[], cwd: string): ChildProcess;
  /** Runs the program to its end. */
  run(words: readonly string[], cwd: string): Promise<Ended>;
}

/** Builds the program inside the project, so that packages are found. */
export async function buildProgram(): Promise<Program> {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(repository, '.cache', 'program-'));
  await build({
    entryPoints: { cli: join(repository, 'src/cli/main.ts') },
    outdir: join(folder, 'dist/bundled'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
    alias: { '#platform': join(repository, 'src/platform/node/platform.ts') },
  });
  copyFileSync(join(repository, 'package.json'), join(folder, 'package.json'));
  const start: Program['start'] = (words, cwd) =>
    spawn(process.execPath, [join(folder, 'dist/bundled/cli.js'), ...words], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  return { folder, start, run: (words, cwd) => endOf(start(words, cwd)) };
}

/** What a process wrote, and its exit code. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  await once(child, 'close');
  return { code: child.exitCode, output: output(), errors: errors() };
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = '';
  stream?.on('data', (piece) => (text += String(piece)));
  return () => text;
}
