// Runs a script against the sources in a Node process of its own.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Output of a script that imports from `transferkit` and `transferkit/node`.
 *
 * @param script - An ES module; arguments begin at `process.argv[2]`.
 * @param launcher - A program that starts Node, with its arguments.
 */
export async function runFresh(
  script: string,
  args: readonly string[],
  launcher: readonly string[] = [],
): Promise<string> {
  const { file, remove } = await bundle(script);
  const [program = '', ...rest] = [...launcher, process.execPath, file, ...args];
  try {
    return execFileSync(program, rest, { encoding: 'utf8' });
  } finally {
    remove();
  }
}

/** Starts such a script and resolves when it first prints something. */
export async function startFresh(script: string, args: readonly string[]): Promise<ChildProcess> {
  const { file, remove } = await bundle(script);
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.once('exit', remove);
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => {
      reject(new Error(`ended with ${String(code)} before it printed anything`));
    });
  });
  return child;
}

async function bundle(script: string): Promise<{ readonly file: string; readonly remove: () => void }> {
  // Inside the project, so that packages are found.
  mkdirSync(join(project, '.cache'), { recursive: true });
  const directory = mkdtempSync(join(project, '.cache', 'fresh-'));
  const file = join(directory, 'script.mjs');
  const remove = () => {
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await build({
      stdin: { contents: script, resolveDir: project },
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
      alias: {
        '#platform': join(project, 'src/platform/node/platform.ts'),
        transferkit: join(project, 'src/index.ts'),
        'transferkit/node': join(project, 'src/node.ts'),
      },
    });
    return { file, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
