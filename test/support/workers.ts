// Workers of Node with a program of the sources.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Bundles a program for workers of Node; packages stay outside. Returns the path of the file. */
export async function bundleForNode(program: string): Promise<string> {
  // Below the repository, where the packages are found.
  const folder = here('node_modules/.cache/transferkit-tests');
  await mkdir(folder, { recursive: true });
  const outfile = `${folder}/${program.replaceAll('/', '-').replace(/\.ts$/, '.mjs')}`;
  await build({
    entryPoints: [here(program)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    alias: { '#platform': here('src/platform/node/platform.ts') },
    logLevel: 'silent',
  });
  return outfile;
}

/** Starts a worker of a file. */
export function startWorker(file: string): Worker {
  return new Worker(file, { stdout: false });
}
