// Files of the feature cache: rows in any order, and what is left of processes that were killed.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { trainHead, useBackend } from '../../../src/index.ts';
import { openScratch } from '../../../src/platform/node/scratchFile.ts';
import { clearScratch } from '../../../src/platform/node/scratchNames.ts';
import { runFresh, startFresh } from '../../support/freshProcess.ts';
import { tinySamples, tinyTransfer } from '../../support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-scratch-'));
let directory = '';
let tests = 0;
beforeEach(() => {
  directory = join(root, String(tests++));
  mkdirSync(directory);
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const files = () => readdirSync(directory).sort();

/** Trains with the features in a file, says so, and goes on until it is stopped or its second epoch. */
const training = `
import { useBackend, loadBase, replaceHead, trainHead, fromArrays } from 'transferkit';
import { layers, sequential } from '@tensorflow/tfjs-layers';
await useBackend('cpu');
const network = sequential({ layers: [layers.dense({ inputShape: [4], units: 8 }), layers.dense({ units: 3 })] });
const model = replaceHead(await loadBase(network), { labels: ['a', 'b'] });
const inputs = Array.from({ length: 8 }, (_, i) => [i, 1, 2, 3]);
const [, , directory, ending] = process.argv;
await trainHead(model, fromArrays({ inputs, targets: inputs.map((_, i) => 'ab'[i % 2]) }), {
  epochs: 100_000,
  batchSize: 4,
  cache: { memory: 0, directory },
  onEpoch: ({ epoch }) => {
    if (epoch === 0) console.log('trains');
    if (epoch === 1 && ending === 'exit') process.exit(3);
    if (epoch === 1 && ending === 'raise') setTimeout(() => { throw new Error('elsewhere'); }, 0);
  },
});
`;

describe('a file of rows', () => {
  const rowBytes = 12;
  const rowOf = (index: number) => Uint8Array.from({ length: rowBytes }, (_, i) => (index * 31 + i * 7) % 256);

  test('returns rows in any order, repeated and adjacent ones, during other reads', async () => {
    const store = await openScratch({ rowBytes, rows: 100, directory });
    for (let start = 0; start < 100; start += 7) {
      const rows = Array.from({ length: Math.min(7, 100 - start) }, (_, i) => rowOf(start + i));
      await store.append(Uint8Array.from(rows.flatMap((row) => Array.from(row))));
    }
    const questions = [[0], [99, 0, 50], [5, 4, 6, 4, 5, 7], Array.from({ length: 100 }, (_, i) => (i * 37) % 100), []];
    await Promise.all(
      questions.map(async (question) => {
        const answer = new Map<number, Uint8Array>();
        await store.read(question, (place, row) => {
          expect(row.byteOffset % 4).toBe(0);
          answer.set(place, row.slice());
        });
        expect([...answer].sort(([a], [b]) => a - b)).toEqual(question.map((row, place) => [place, rowOf(row)]));
      }),
    );
    expect(files()).toHaveLength(1);
    await store.dispose();
    await store.dispose();
    expect(files()).toEqual([]);
  });

  test('more data than the disk has space for is refused before writing', async () => {
    const opening = openScratch({ rowBytes: 2 ** 30, rows: 2 ** 24, directory });
    await expect(opening).rejects.toMatchObject({ code: 'SAVE_FAILED' });
    await expect(opening).rejects.toThrow(
      /but: features take 18014398.5 GB, and its disk has \d+\.\d GB left\. Choose/,
    );
    expect(files()).toEqual([]);
  });

  test('a truncated file is an error, not zeros', async () => {
    const store = await openScratch({ rowBytes, rows: 2, directory });
    await store.append(new Uint8Array(2 * rowBytes));
    writeFileSync(join(directory, files()[0]!), 'short');
    await expect(store.read([1], () => undefined)).rejects.toThrow(/was cut short by somebody/);
    await store.dispose();
  });
});

describe('the next start', () => {
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    await useBackend('cpu');
  });
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  async function start(): Promise<ChildProcess> {
    const child = await startFresh(training, [directory]);
    children.push(child);
    return child;
  }

  test('removes the file of a killed process, and keeps that of a running one', async () => {
    const killed = await start();
    const [orphan] = files();
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(files()).toEqual([orphan]);

    const atWork = await start();
    const live = files();
    expect(live).toHaveLength(1);
    expect(live).not.toContain(orphan);

    await trainHead(await tinyTransfer(), tinySamples(), { epochs: 1, cache: { memory: 0, directory } });
    expect(files()).toEqual(live);
    atWork.kill('SIGKILL');
    await once(atWork, 'exit');
    // Within memory, too.
    await trainHead(await tinyTransfer(), tinySamples(), { epochs: 1, cache: { directory } });
    expect(files()).toEqual([]);
  });

  test.each(['exit', 'raise'])('has nothing to remove of a process that ends by itself: %s', async (ending) => {
    await expect(runFresh(training, [directory, ending])).rejects.toMatchObject({ status: ending === 'exit' ? 3 : 1 });
    expect(files()).toEqual([]);
  });

  // Elsewhere a system does not tell when a process started.
  test.runIf(process.platform === 'linux')(
    'distinguishes processes with the same number by start time, and files of other machines by age',
    async () => {
      const store = await openScratch({ rowBytes: 4, rows: 1, directory });
      const own = files()[0]!;
      const [, machine, pid, start] = /features-(\w+)-(\d+)-(\d+)-/.exec(own)!;
      const put = (name: string, days = 0): string => {
        const path = join(directory, name);
        writeFileSync(path, '');
        utimesSync(path, Date.now() / 1000 - days * 86_400, Date.now() / 1000 - days * 86_400);
        return name;
      };
      const other = machine!.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
      const reused = put(`transferkit-features-${machine}-${pid}-${Number(start) - 1}-${'0'.repeat(12)}.tmp`);
      const unknownStart = put(`transferkit-features-${machine}-${pid}-0-${'0'.repeat(12)}.tmp`);
      const elsewhere = put(`transferkit-features-${other}-${pid}-${start}-${'0'.repeat(12)}.tmp`, 6);
      const forgotten = put(`transferkit-features-${other}-${pid}-${start}-${'1'.repeat(12)}.tmp`, 8);
      const foreign = put('transferkit-features-notes.tmp', 99);
      const first = put(`transferkit-features-${machine}-1-0-${'0'.repeat(12)}.tmp`);
      await clearScratch(directory);
      expect(files()).toEqual([own, unknownStart, elsewhere, foreign, first].sort());
      expect([reused, forgotten].filter((name) => files().includes(name))).toEqual([]);
      await store.dispose();
    },
    10_000,
  );

  test('accepts a missing folder', async () => {
    await clearScratch(join(directory, 'none'));
  });
});

test.runIf(process.platform === 'linux')('a name contains the start time of its process', async () => {
  const store = await openScratch({ rowBytes: 4, rows: 1, directory });
  const fields = readFileSync('/proc/self/stat', 'latin1').replace(/.*\) /s, '').split(' ');
  expect(files()[0]).toContain(`-${process.pid}-${fields[19]}-`);
  await store.dispose();
});
