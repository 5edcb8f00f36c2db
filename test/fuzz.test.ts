// The program that fuzzes catches what it is for: each kind of harm, by a reader that does it.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

type Files = Readonly<Record<string, Uint8Array>>;

interface Seed {
  readonly name: string;
  readonly files: Files;
  readonly ranges?: Readonly<Record<string, 'all' | readonly (readonly [number, number])[]>>;
}

interface Input {
  readonly seed: Seed;
  readonly files: Files;
  readonly isProtected: boolean;
}

interface Result {
  readonly number: number;
  readonly end: string;
  readonly code?: string;
  readonly text?: string;
  readonly stack?: string;
  readonly faults?: Readonly<Record<string, string>>;
}

interface Task {
  readonly readers: string;
  readonly reader: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly failures: string;
  readonly limits: object;
  readonly replay?: string;
}

const { mutate } = await part<{
  mutate: (seeds: readonly Seed[], reader: string, seed: number, number: number) => Input;
}>('mutate.js');
const { supervise, replay } = await part<{
  supervise: (task: Task) => Promise<Result[]>;
  replay: (task: Task) => Promise<Result>;
}>('supervise.js');
const { tally, tableOf, badOf } = await part<{
  tally: (name: string, results: readonly object[]) => object;
  tableOf: (tallies: readonly object[]) => string;
  badOf: (counted: object) => number;
}>('tally.js');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'transferkit-fuzz-test-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a reader that', () => {
  const usual = { seconds: 20, idleSeconds: 60, megabytes: 300, interval: 20 };
  const task = (reader: string, to = 1, limits: object = {}): Task => ({
    readers: new URL('fuzz/planted.js', import.meta.url).href,
    ...{ reader, seed: 1, from: 0, to, failures: join(folder, 'failures'), limits: { ...usual, ...limits } },
  });

  test.each([
    ['turns round for ever', { end: 'hang', text: 'over 0.1 s on the processor' }, { seconds: 0.1 }],
    ['never answers', { end: 'hang', text: 'its promise never settles' }, {}],
    ['waits for ever', { end: 'hang', text: 'no answer in 0.1 s' }, { idleSeconds: 0.1 }],
    ['fills the memory', { end: 'memory', text: 'over 300 MB' }, {}],
    ['is killed', { end: 'crash', text: 'SIGSEGV: ' }, {}],
    ['ends the process', { end: 'crash', text: 'exit code 0: ' }, {}],
    ['traps', { end: 'crash', text: 'RuntimeError: unreachable' }, {}],
  ])('%s is ended, and the input kept', async (reader, expected, limits) => {
    const results = await supervise(task(reader, 1, limits));
    expect(results).toMatchObject([{ number: 0, ...expected }]);
    expect(existsSync(join(folder, 'failures', `${reader}-1-0.json`))).toBe(true);
  });

  test('failed once fails again on the input that was kept', async () => {
    await supervise(task('traps'));
    const file = join(folder, 'failures', 'traps-1-0.json');
    expect(await replay({ ...task('traps'), replay: file })).toMatchObject({ end: 'crash' });
  });

  test('sometimes fails does not affect other inputs', async () => {
    const results = await supervise(task('is killed by every third', 7));
    expect(results.map(({ number, end }) => `${String(number)} ${end}`)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((number) => `${String(number)} ${number % 3 === 2 ? 'crash' : 'equal'}`),
    );
  });

  test('does not end the process is tested in it', async () => {
    const ends = async (reader: string) => (await supervise(task(reader)))[0];
    expect(await ends('raises')).toMatchObject({ end: 'exception', text: 'TypeError: no' });
    expect(await ends('refuses')).toMatchObject({ end: 'refused', code: 'NOT_A_MODEL' });
    expect(await ends('leaves a tensor')).toMatchObject({ end: 'equal', faults: { leak: '1 tensors' } });
    expect(await ends('raises later')).toMatchObject({ end: 'equal', faults: { late: 'Error: later' } });
    expect(await ends('prints')).toMatchObject({ faults: { output: 'out\n' } });
    expect(await ends('writes to standard error')).toMatchObject({ faults: { output: 'error\n' } });
    expect(await ends('believes damage')).toMatchObject({ end: 'differ', faults: { accepted: 'seed: values differ' } });
    expect(await ends('has no checksum')).not.toHaveProperty('faults');
  });

  test('cannot be opened, or a harness that fails, gives no result', async () => {
    await expect(supervise(task('cannot be opened'))).rejects.toThrow('no such package');
    await expect(supervise(task('has no seeds'))).rejects.toThrow('cannot be run');
  });
});

describe('a mutation', () => {
  const seeds: Seed[] = [
    { name: 'json', files: { 'a.json': new TextEncoder().encode('{"a":[1,2,{"b":"text"}],"c":null}') } },
    { name: 'bytes', files: { a: Uint8Array.from({ length: 50 }, (_, i) => i) }, ranges: { a: [[10, 20]] } },
  ];

  test('follows from its number, and leaves the seed as it is', () => {
    const before = JSON.stringify(seeds);
    const some = (seed: number) => Array.from({ length: 100 }, (_, i) => mutate(seeds, 'reader', seed, i));
    expect(JSON.stringify(some(1))).toBe(JSON.stringify(some(1)));
    expect(JSON.stringify(some(2))).not.toBe(JSON.stringify(some(1)));
    expect(JSON.stringify(seeds)).toBe(before);
  });

  test('is under a checksum only if all of it is', () => {
    const bytes = Array.from({ length: 1000 }, (_, i) => mutate(seeds.slice(1), 'reader', 1, i));
    const outside = ({ files: { a = new Uint8Array() } }: Input) =>
      a.length !== 50 || a.some((byte, at) => byte !== at && (at < 10 || at >= 20));
    const inside = bytes.filter(({ isProtected }) => isProtected);
    expect(inside.length).toBeGreaterThan(50);
    expect(inside.some(outside)).toBe(false);
    expect(bytes.filter((each) => outside(each) && each.isProtected)).toEqual([]);
  });

  test('of every kind happens', () => {
    const texts = Array.from({ length: 2000 }, (_, i) => mutate(seeds.slice(0, 1), 'reader', 1, i).files['a.json']);
    const lengths = texts.map((text) => text?.length ?? 0);
    expect(Math.min(...lengths)).toBe(0);
    expect(Math.max(...lengths)).toBeGreaterThan(100_000);
    expect(new Set(texts.map((text) => Buffer.from(text ?? []).toString())).size).toBeGreaterThan(1000);
  });
});

test('the table counts the results', () => {
  const results = [{ end: 'equal' }, { end: 'refused', code: 'NOT_FOUND' }, { end: 'hang', faults: { output: 'x' } }];
  const counted = tally('reader', results);
  expect(badOf(counted)).toBe(2);
  expect(tableOf([counted]).split('\n').at(-1)).toBe('| all | 3 | 1 | 0 | 1 | 0 | 0 | 1 | 0 | 0 | 1 | 0 | 0 |');
});

/** A part of the program, which is plain JavaScript. */
async function part<T>(name: string): Promise<T> {
  const file = fileURLToPath(new URL(`fuzz/${name}`, import.meta.url));
  return (await import(/* @vite-ignore */ file)) as T;
}
