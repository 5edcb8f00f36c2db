// Pages from the packed package and the README's install line, by each way in docs/browsers.md: they run on wasm with no file
// copied, and the table there says what comes out.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installed, installPacked, packPackage, repository } from '../support/packed.ts';
import { isThorough } from '../support/thorough.ts';
import { sites, type Open } from './sites.ts';

const job = `
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
const verbs = 'evaluate, fromArrays, loadBase, replaceHead, trainHead, useBackend';
const program = `
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { ${verbs} } from 'transferkit';
${job}`;
const tagged = `
const { layers, sequential } = transferkit.tf;
const { ${verbs} } = transferkit;
${job}`;

interface Job {
  readonly backend: string;
  readonly threads: number;
  readonly notes: readonly string[];
  readonly tried: readonly { readonly name: string; readonly reason: string }[];
  readonly accuracy: number;
}

/** What a strict site allows. */
const strict = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

let workspace = '';
let page = '';

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'transferkit-bundlers-'));
  page = join(workspace, 'page');
  await installPacked(await packPackage(join(workspace, 'source')), page, installed);
  await writeFile(join(page, 'main.js'), program);
  await writeFile(join(page, 'tag.js'), tagged);
  await writeFile(join(page, 'index.html'), '<script type="module" src="/main.js"></script>');
}, 300_000);

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

const columns = (
  [
    [1, 'plain', false, undefined],
    [2, 'isolated', true, undefined],
    [3, 'with a strict policy', false, strict],
    [4, 'isolated, with a strict policy', true, strict],
  ] as const
).filter(([column]) => isThorough || column === 1 || column === 4);

/** The rows that differ from others in more than a minifier. */
const chosen = Object.entries(sites).filter(([name]) => isThorough || !/not minified|development mode/.test(name));

test('docs/browsers.md has a row for each way and no other, and none ends on cpu', () => {
  const table = /\| page \|.*\n\|[-|]+\n((\|.*\n)+)/.exec(readFileSync(join(repository, 'docs/browsers.md'), 'utf8'));
  const rows = (table?.[1] ?? '').trim().split('\n');
  expect(rows.map((row) => row.split('|')[1]?.trim())).toEqual(Object.keys(sites));
  for (const row of rows) expect(row.split('|').slice(2, -1).join()).toMatch(/^( wasm(, threads)? ,?){4}$/);
});

describe.each(chosen)('%s', (name, { prepare, findsWorkers }) => {
  let open: Open;

  beforeAll(async () => {
    const folder = join(workspace, name.replaceAll(/\W+/g, '-'));
    await mkdir(folder);
    open = await prepare(page, folder);
  }, 300_000);

  test.each(columns)('column %i of docs/browsers.md: %s', async (column, _, isolated, policy) => {
    const documented = rowOf(name);
    const opened = await open(isolated, policy);
    try {
      await opened.page.waitForFunction('window.job !== undefined');
      const job = await opened.page.evaluate<Job>('window.job()');
      expect(job.accuracy).toBe(1);
      const result = job.threads > 1 ? `${job.backend}, threads` : job.backend;
      expect(result, JSON.stringify(job)).toBe(documented[column]);
      // Chromium draws in software here; the packages of the other backends are not installed.
      for (const { reason } of job.tried)
        expect(reason).toMatch(/software|no WebGPU adapter|not installed|has no webgpu/);
      if (findsWorkers) expect(opened.problems).toEqual([]);
    } finally {
      await opened.close();
    }
  });
});
