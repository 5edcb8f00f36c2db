// The bench measures fairly and tells the truth: contenders take turns in processes of their own, best and spread are
// what they say, goals are judged the right way round. Its figures themselves are no test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

interface Figure {
  readonly arch?: string;
  readonly work: string;
  readonly contender: string;
  readonly unit?: string;
  readonly values: readonly number[];
  readonly best?: number;
  readonly spread?: number;
  readonly error?: string;
}

interface Report {
  readonly arch: string;
  readonly contender: string;
  readonly works: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly error?: string;
}

interface Contender {
  readonly id: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly archs: readonly string[];
  readonly skip: readonly string[];
  readonly rounds: number;
  readonly task: object;
}

interface Verdict {
  readonly text: string;
  readonly found: number;
  readonly met: boolean;
  readonly by: number;
  readonly range: readonly number[];
}

const { figuresOf } = await bench<{ figuresOf: (reports: readonly Report[]) => Figure[] }>('figures.js');
const { judge } = await bench<{ judge: (figures: readonly Figure[], contender: string) => Verdict[] }>('goals.js');
const { runRounds } = await bench<{
  runRounds: (
    arch: string,
    contenders: readonly Contender[],
    options: object,
    folder: string,
    say: (line: string) => void,
  ) => Promise<Report[]>;
}>('rounds.js');
const { parseOptions } = await bench<{ parseOptions: (args: readonly string[]) => Record<string, unknown> }>(
  'options.js',
);
const { judgeSoak } = await bench<{ judgeSoak: (rows: readonly object[]) => { flat: boolean; text: string } }>(
  'judgeSoak.js',
);
const { figureTable } = await bench<{
  figureTable: (arch: string, figures: readonly Figure[], contenders: readonly object[]) => string;
}>('table.js');
const { drawChart } = await bench<{ drawChart: (results: object) => string }>('chart.js');

const arch = 'mobilenet_v2';
const contenders = [
  { id: 'ours', name: 'transferkit' },
  { id: 'keras', name: 'Keras' },
  { id: 'tfjs', name: 'tfjs' },
];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'transferkit-bench-test-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('rounds', () => {
  test('contenders alternate, each in a fresh process, and a failure does not affect the others', async () => {
    const options = { ...parseOptions(['--quick', '--only', 'extract,full', '--rounds', '2']) };
    const working = (id: string, skip: readonly string[] = []) => fake(id, skip, printing());
    const broken = fake('broken', [], 'console.error("no such package"); process.exit(3);');
    const said: string[] = [];
    const list = [working('a'), broken, { ...working('b', ['full']), rounds: 1 }];
    const reports = await runRounds(arch, list, options, folder, (line) => said.push(line));
    expect(reports.map(({ contender }) => contender)).toEqual(['a', 'broken', 'b', 'a', 'broken']);
    expect(reports.map(({ works }) => Object.keys(works).join())).toEqual([
      'extract,full',
      '',
      'extract',
      'extract,full',
      '',
    ]);
    expect(reports[1]?.error).toBe('ended with 3: no such package');
    const processes = reports.flatMap(({ works }) => works.extract?.images ?? []);
    expect(new Set(processes).size).toBe(3);
    expect(said.join('\n')).toContain('no such package');
  });

  test('a contender that cannot start is left out by name, and the others run', async () => {
    const broken = fake('broken', [], 'console.error("Error: another build"); process.exit(1);');
    const list = [{ ...broken, prepare: broken.command }, fake('a', [], printing())];
    const said: string[] = [];
    const options = { ...parseOptions(['--quick', '--only', 'extract']) };
    const reports = await runRounds(arch, list, options, folder, (line) => said.push(line));
    expect(reports.map(({ contender }) => contender)).toEqual(['a']);
    expect(said[0]).toBe('mobilenet_v2: broken is left out, it ended with 1: Error: another build');
  });

  /** A program that does what it is asked in no time, and tells its process as the number of images. */
  function printing(): string {
    return `
      const work = process.argv[process.argv.indexOf('--work') + 1].split(',');
      const works = Object.fromEntries(work.map((name) => [name, { seconds: 1, images: process.pid }]));
      console.log('something else first');
      console.log(JSON.stringify({ works }));`;
  }

  function fake(id: string, skip: readonly string[], program: string): Contender {
    const script = join(folder, `${id}.mjs`);
    writeFileSync(script, program);
    return { id, name: id, command: [process.execPath, script], archs: [arch], skip, rounds: 2, task: {} };
  }
});

describe('figures', () => {
  test('are milliseconds per image: the best of the rounds, and the excess of the worst', () => {
    const [extract, memory, folderOf, network, load] = figuresOf([
      report('ours', { extract: { seconds: 2, images: 100, peak: 300e6 } }),
      report('ours', { extract: { seconds: 1, images: 100, peak: 200e6 } }),
      report('ours', { folder: { seconds: 6, network: 3, images: 300 } }),
      report('ours', { load: { seconds: 0.05 } }),
    ]);
    expect(extract).toEqual({ ...of('extract'), unit: 'ms an image', values: [20, 10], best: 10, spread: 1 });
    expect(memory).toEqual({ ...of('extractMemory'), unit: 'MB', values: [300, 200], best: 200, spread: 0.5 });
    expect([folderOf?.best, network?.best]).toEqual([20, 10]);
    expect([network?.work, load?.best, load?.unit]).toEqual(['network', 50, 'ms']);
  });

  test('contain the reason if a task is impossible', () => {
    const [full] = figuresOf([report('tfjs', { full: { error: 'no gradient', peak: 1 } })]);
    expect(full).toEqual({ ...of('full', 'tfjs'), unit: undefined, values: [], error: 'no gradient' });
    expect(figureTable(arch, [full!], contenders)).toMatch(/everything, one epoch\s+cannot/);
  });
});

describe('goals', () => {
  const figures = figuresOf([
    report('ours', { extract: { seconds: 12, images: 1000 }, full: { seconds: 3, images: 10 } }),
    report('keras', { extract: { seconds: 10, images: 1000 }, full: { seconds: 2, images: 10 } }),
    report('tfjs', { extract: { seconds: 60, images: 1000 } }),
  ]);

  test('upper and lower limits are compared in the right direction', () => {
    const verdicts = judge(figures, 'ours');
    expect(verdicts.map(({ text, met }) => `${text}: ${met ? 'met' : 'missed'}`)).toEqual([
      'mobilenet_v2: extract ÷ Keras: met',
      'mobilenet_v2: full ÷ Keras: missed',
      'mobilenet_v2: extract, tfjs on wasm ÷ ours: met',
    ]);
    expect(verdicts.map(({ found }) => found)).toEqual(
      [1.2, 1.5, 5].map((ratio) => expect.closeTo(ratio, 10) as number),
    );
    expect(verdicts[1]?.by).toBeCloseTo(2, 10);
  });

  test('a goal without a measurement is not compared', () => {
    expect(judge(figures, 'oursOnOtherNode')).toEqual([]);
  });

  test('each of our contenders has limits of its own', () => {
    const faster = figuresOf([
      report('oursOnEngine', { extract: { seconds: 4, images: 1000 } }),
      report('onnxruntime', { extract: { seconds: 3.6, images: 1000 } }),
      report('keras', { extract: { seconds: 10, images: 1000 } }),
    ]);
    expect(judge(faster, 'oursOnEngine').map(({ text, met }) => [text, met])).toEqual([
      ['mobilenet_v2: extract ÷ Keras', true],
      ['mobilenet_v2: extract ÷ bare ONNX Runtime', true],
    ]);
  });
});

describe('options', () => {
  test('a partial run never replaces the committed results', () => {
    expect(parseOptions([]).out).toBe('bench');
    for (const args of [['--quick'], ['--only', 'extract'], ['--arch', 'resnet50']]) {
      expect(parseOptions(args).out).toBe('.cache/bench');
    }
  });

  test('unknown options raise an error with their name', () => {
    expect(() => parseOptions(['--only', 'extrakt'])).toThrow('--only: there is no extrakt; known are start,');
    expect(() => parseOptions(['--rounds', 'many'])).toThrow('--rounds: expected a whole number above 0, got many');
  });
});

describe('soak', () => {
  const row = { tensors: 700, wasmHeap: 100e6, rss: 300e6 };
  const rows = (last: object) => [{ tensors: 1, wasmHeap: 1, rss: 1 }, ...Array.from({ length: 8 }, () => row), last];

  test.each([
    [{}, 'flat'],
    [{ rss: 314e6 }, 'flat'],
    [{ rss: 316e6 }, 'not flat: resident memory'],
    [{ tensors: 701 }, 'not flat: tensors'],
    [{ wasmHeap: 100e6 + 65_536 }, 'not flat: the heap of wasm'],
  ])('%o: %s', (change, text) => {
    expect(judgeSoak(rows({ ...row, ...change })).text).toBe(text);
  });
});

test('the chart has a bar and a label for each figure, on white', () => {
  const figures = figuresOf([
    report('ours', { extract: { seconds: 1.25, images: 100 } }),
    report('keras', { extract: { seconds: 1, images: 100 }, full: { seconds: 3, images: 100 } }),
    report('tfjs', { extract: { seconds: 5, images: 100 }, full: { error: 'no gradient' } }),
  ]);
  const svg = drawChart({ figures, contenders });
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" style="background:#ffffff/);
  for (const label of ['12.5', '10.0', '50.0', '30.0', 'cannot', 'Keras = 1']) expect(svg).toContain(label);
  expect(svg.match(/<rect/g)?.length).toBe(5);
});

function report(contender: string, works: Report['works']): Report {
  return { arch, contender, works };
}

function of(work: string, contender = 'ours') {
  return { arch, work, contender };
}

function file(name: string): string {
  return fileURLToPath(new URL(`../bench/${name}`, import.meta.url));
}

/** A part of the bench, which is plain JavaScript. */
async function bench<T>(name: string): Promise<T> {
  return (await import(/* @vite-ignore */ file(name))) as T;
}
