// How much of a package a page loads for an import.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Options for a bundle of a module's text, without the peers and without writing anything. */
export function bundling(contents, resolveDir) {
  return {
    stdin: { contents, resolveDir },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['@tensorflow/*', 'fflate', 'sharp'],
    logLevel: 'silent',
    legalComments: 'none',
    // Not the project's: its paths lead to the sources.
    tsconfigRaw: '{}',
    write: false,
  };
}

/** Bytes, minified and gzipped, of what a page loads at once: not of what is loaded later, when it is used. */
export async function sizeAtStart(contents, resolveDir) {
  const { files } = await loadedAtStart(contents, resolveDir);
  return files.reduce((sum, { contents: bytes }) => sum + gzipSync(bytes).length, 0);
}

/** Names of the peers that a page loads at once. */
export async function peersAtStart(contents, resolveDir) {
  const { peers } = await loadedAtStart(contents, resolveDir);
  return peers;
}

async function loadedAtStart(contents, resolveDir) {
  const { outputFiles, metafile } = await build({
    ...bundling(contents, resolveDir),
    platform: 'browser',
    minify: true,
    splitting: true,
    metafile: true,
    outdir: resolveDir,
    absWorkingDir: resolveDir,
  });
  const needed = new Set(['stdin.js']);
  const peers = new Set();
  for (const path of needed) {
    for (const { kind, path: next, external } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement') (external === true ? peers : needed).add(next);
    }
  }
  const files = outputFiles.filter(({ path }) => needed.has(path.slice(resolveDir.length + 1)));
  if (files.length !== needed.size) throw new Error(`expected ${needed.size} files of the bundle, got ${files.length}`);
  return { files, peers: [...peers] };
}
