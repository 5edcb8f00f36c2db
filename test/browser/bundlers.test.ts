// Pages built by bundlers from the packed package and the README's install line: they run on wasm with no file copied.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import commonjs from '@rollup/plugin-commonjs';
import nodeResolve from '@rollup/plugin-node-resolve';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import { build as buildWithVite } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { installed, installPacked, packPackage, repository } from '../support/packed.ts';
import { isThorough } from '../support/thorough.ts';
import { openFolder } from './harness.ts';

const program = `
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { evaluate, fromArrays, loadBase, replaceHead, trainHead, useBackend } from 'transferkit';

window.job = async () => {
  const report = await useBackend();
  const network = sequential({ layers: [layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 3] }), layers.flatten()] });
  const model = replaceHead(await loadBase(network, { cut: network.layers[0].name }), { labels: ['dark', 'light'] });
  const inputs = Array.from({ length: 24 }, (_, i) => new Float32Array(192).fill(i % 2 === 0 ? 0.1 + i / 100 : 0.9 - i / 100));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'dark' : 'light')) });
  const { backend } = await trainHead(model, samples);
  const { accuracy } = await evaluate(model, samples);
  return { backend, threads: report.threads, notes: report.notes, tried: report.tried, accuracy };
};
`;

interface Job {
  readonly backend: string;
  readonly threads: number;
  readonly notes: readonly string[];
  readonly tried: readonly { readonly name: string; readonly reason: string }[];
  readonly accuracy: number;
}

/** What a strict site allows. */
const strict = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

interface Bundler {
  /** Builds `main.js` of a folder, minified, into another one. */
  readonly build: (folder: string, outdir: string) => Promise<unknown>;
  /** Whether it takes along the file of the workers, which a strict policy needs for threads. */
  readonly takesWorkers: boolean;
  readonly entry: string;
}

const bundlers: Readonly<Record<string, Bundler>> = {
  'Vite build': {
    build: (root, outDir) =>
      buildWithVite({ root, configFile: false, logLevel: 'silent', base: './', build: { outDir, emptyOutDir: true } }),
    takesWorkers: true,
    entry: '',
  },
  esbuild: {
    build: (folder, outdir) =>
      build({
        ...{ bundle: true, splitting: true, minify: true, format: 'esm', tsconfigRaw: '{}', logLevel: 'silent' },
        ...{ entryPoints: [join(folder, 'main.js')], outdir },
      }),
    takesWorkers: false,
    entry: 'main.js',
  },
  webpack: {
    build: (context, path) =>
      new Promise((resolve, reject) => {
        webpack({ mode: 'production', context, entry: './main.js', output: { path }, performance: false }).run(
          (failure, stats) => {
            const errors = stats?.compilation.errors ?? [];
            if (failure !== null || errors.length > 0) reject(failure ?? new Error(errors.map(String).join('\n')));
            else resolve(stats);
          },
        );
      }),
    takesWorkers: true,
    entry: 'main.js',
  },
  rollup: {
    build: async (folder, dir) => {
      const plugins = [nodeResolve({ browser: true }), commonjs()];
      const bundle = await rollup({ input: join(folder, 'main.js'), plugins, logLevel: 'silent' });
      await bundle.write({ dir });
    },
    takesWorkers: false,
    entry: 'main.js',
  },
};

let workspace = '';
let page = '';

beforeAll(async () => {
  if (!isThorough) return;
  workspace = await mkdtemp(join(tmpdir(), 'transferkit-bundlers-'));
  page = join(workspace, 'page');
  await installPacked(await packPackage(join(workspace, 'source')), page, installed);
  await writeFile(join(page, 'main.js'), program);
  await writeFile(join(page, 'index.html'), '<script type="module" src="/main.js"></script>');
}, 120_000);

afterAll(async () => {
  if (workspace !== '') await rm(workspace, { recursive: true, force: true });
});

/** The row of a bundler in the table of docs/browsers.md: its name, and what it says of each page. */
function rowOf(name: string): readonly string[] {
  const lines = readFileSync(join(repository, 'docs/browsers.md'), 'utf8').split('\n');
  const row = lines.find((line) => line.startsWith(`| ${name} |`)) ?? '';
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe.runIf(isThorough).each(Object.keys(bundlers))('built by %s', (name) => {
  const { build: bundle, takesWorkers, entry } = bundlers[name]!;
  let folder = '';

  beforeAll(async () => {
    folder = join(workspace, name.replace(' ', '-'));
    await mkdir(folder);
    await bundle(page, folder);
    const html = `<script type="module" src="/${entry}"></script>`;
    if (entry !== '') await writeFile(join(folder, 'index.html'), html);
  }, 180_000);

  test.each([
    [1, 'plain', false, undefined],
    [2, 'isolated', true, undefined],
    [3, 'with a strict policy', false, strict],
    [4, 'isolated, with a strict policy', true, strict],
  ] as const)('column %i of docs/browsers.md: %s', async (column, _, isolated, policy) => {
    const documented = rowOf(name);
    const opened = await openFolder(folder, isolated, policy);
    try {
      await opened.page.waitForFunction('window.job !== undefined');
      const job = await opened.page.evaluate<Job>('window.job()');
      expect(job.accuracy).toBe(1);
      const result = job.threads > 1 ? `${job.backend}, threads` : job.backend;
      expect(result, JSON.stringify(job)).toBe(documented[column]);
      // Chromium draws in software here; the packages of the other backends are not installed.
      for (const { reason } of job.tried) expect(reason).toMatch(/software|no WebGPU adapter/);
      if (takesWorkers) expect(opened.problems).toEqual([]);
    } finally {
      await opened.close();
    }
  });
});
