// What reads the files of others stands a small, fixed dose of damage: it gives numbers or refuses, and leaves no
// tensor.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as checkpointFile from '../src/training/resume/checkpointFile.ts';
import * as transferkit from '../src/index.ts';
import * as node from '../src/node.ts';
import * as kerasFile from '../src/formats/keras/kerasFile.ts';

interface Input {
  readonly seed: { readonly name: string };
}

interface Reader {
  readonly seeds: readonly object[];
}

interface Judged {
  readonly end: string;
  readonly text?: string;
  readonly faults?: object;
}

const { mutate, prepareSeeds } = await part<{
  mutate: (seeds: readonly object[], reader: string, seed: number, number: number) => Input;
  prepareSeeds: (reader: Reader) => Promise<{ seeds: readonly object[]; expected: ReadonlyMap<string, unknown> }>;
}>('mutate.js');
const { judge } = await part<{
  judge: (reader: Reader, input: Input, expected: unknown, watch: object) => Promise<Judged>;
}>('judge.js');
const { makeReaders } = await part<{
  makeReaders: (load: () => Promise<object>) => { name: string; open: (folder: string) => Promise<Reader> }[];
}>('readers/index.js');

// The others are left to `npm run fuzz`, which reads in child processes: a hang in this one would stop the tests.
const here = [
  'layers model.json',
  'graph model.json',
  '.h5',
  '.weights.h5',
  '.keras',
  'checkpoint',
  'knn, nearestCentroid',
  'pictures',
  'TF Hub folder',
];
const readers = makeReaders(() => Promise.resolve({ ...transferkit, ...node, ...checkpointFile, ...kerasFile }));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'transferkit-fuzz-readers-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test.each(readers.filter(({ name }) => here.includes(name)))('$name', async ({ name, open }) => {
  const reader = await open(mkdtempSync(join(folder, 'reader-')));
  const { seeds, expected } = await prepareSeeds(reader);
  const watch = { written: () => '', late: () => undefined };
  const ends = new Set<string>();
  const found: object[] = [];
  for (let number = 0; number < 20; number++) {
    const input = mutate(seeds, name, 1, number);
    const { end, text, faults } = await judge(reader, input, expected.get(input.seed.name), watch);
    ends.add(end);
    if (!['equal', 'differ', 'refused'].includes(end) || faults) found.push({ number, end, text, faults });
  }
  expect(found).toEqual([]);
  // The damage reaches the reader.
  expect([...ends]).toContain('refused');
});

/** A part of the program that fuzzes, which is plain JavaScript. */
async function part<T>(name: string): Promise<T> {
  const file = fileURLToPath(new URL(`fuzz/${name}`, import.meta.url));
  return (await import(/* @vite-ignore */ file)) as T;
}
