// Checkpoints in a folder: whole files or none, whatever happens to the process or the disk.
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openCheckpoints } from '../../src/node/checkpoints.ts';
import { startFresh } from '../support/freshProcess.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-checkpoints-'));
let folder = '';
let tests = 0;
beforeEach(() => {
  folder = join(root, String(tests++));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const files = () => readdirSync(folder).sort();
const name = 'head-000001.safetensors';
const left = `${name}.0123456789ab.tmp`;

test('keeps files by name, in a folder that it makes', async () => {
  folder = join(folder, 'a', 'b');
  const store = await openCheckpoints(folder);
  expect(await store.list()).toEqual([]);
  await store.write(name, Uint8Array.of(1, 2));
  await store.write(name, Uint8Array.of(3));
  await store.write('head-000002.safetensors', Uint8Array.of(4));
  expect([...(await store.list())].sort()).toEqual([name, 'head-000002.safetensors']);
  expect(Array.from(await store.read(name))).toEqual([3]);
  await store.remove(name);
  await store.remove(name);
  expect(files()).toEqual(['head-000002.safetensors']);
  await expect(store.read(name)).rejects.toThrow('ENOENT');
});

test('removes what a killed process left half written, and nothing else', async () => {
  mkdirSync(folder);
  for (const each of [left, name, 'notes.tmp', 'model.json.0123456789ab.tmp']) writeFileSync(join(folder, each), 'x');
  const store = await openCheckpoints(folder);
  expect(files()).toEqual([name, 'model.json.0123456789ab.tmp', 'notes.tmp'].sort());
  writeFileSync(join(folder, left), 'of another process');
  expect(await store.list()).not.toContain(left);
});

describe('a place that cannot be', () => {
  test.each(['indexeddb://here', 'https://example.org/a', 's3://bucket'])('%s is no folder', async (location) => {
    await expect(openCheckpoints(location)).rejects.toMatchObject({ code: 'INVALID_OPTION', details: { location } });
    await expect(openCheckpoints(location)).rejects.toThrow(
      `expected checkpoint.to to be the path of a folder, got ${location}. For checkpoints elsewhere, give an object with list, read, write and remove.`,
    );
  });

  test('a file is told before training begins', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), '');
    await expect(openCheckpoints(join(folder, 'file', 'here'))).rejects.toMatchObject({ code: 'SAVE_FAILED' });
    await expect(openCheckpoints(join(folder, 'file'))).rejects.toThrow(
      /expected to keep checkpoints in .*file, but: E\w+.*\. What was there before is unchanged\./,
    );
  });

  test.runIf(existsSync('/proc/self'))('a file system without room for folders is told', async () => {
    await expect(openCheckpoints('/proc/here')).rejects.toThrow(/expected to keep checkpoints in \/proc\/here, but: /);
  });

  test('a folder that is removed meanwhile is told when a checkpoint is due', async () => {
    const store = await openCheckpoints(folder);
    rmSync(folder, { recursive: true });
    await expect(store.write(name, Uint8Array.of(1))).rejects.toMatchObject({ code: 'SAVE_FAILED' });
  });
});

/** Writes checkpoints of equal bytes without end. */
const writing = `
import { platform } from '#platform';
const store = await platform.openCheckpoints(process.argv[2]);
for (let round = 0; ; round++) {
  const name = 'head-' + String(round % 3).padStart(6, '0') + '.safetensors';
  await store.write(name, new Uint8Array(2_000_000).fill(round % 251));
  if (round === 3) console.log('writes');
}
`;

test('kill -9 in the middle of writing leaves whole files', async () => {
  for (const wait of [0, 3, 11]) {
    const child = await startFresh(writing, [folder]);
    await new Promise((resolve) => setTimeout(resolve, wait));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openCheckpoints(folder);
    expect(files()).toEqual([0, 1, 2].map((number) => `head-00000${number}.safetensors`));
    for (const each of files()) {
      const bytes = await store.read(each);
      expect(bytes.length).toBe(2_000_000);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    }
  }
});

/** A small disk of its own, where the system has one for everybody. */
const smallDisk = '/dev/shm';
const room = existsSync(smallDisk) ? statfsSync(smallDisk) : { bavail: 0, bsize: 1 };
const isSmall = room.bavail * room.bsize > 0 && room.bavail * room.bsize <= 2 ** 28;

test.runIf(isSmall)('a full disk: the error says so, what was there stays, and nothing is left over', async () => {
  folder = mkdtempSync(join(smallDisk, 'transferkit-checkpoints-'));
  try {
    const store = await openCheckpoints(folder);
    await store.write(name, Uint8Array.of(1));
    const tooMuch = new Uint8Array(room.bavail * room.bsize + 2 ** 20);
    await expect(store.write(name, tooMuch)).rejects.toThrow(/but: ENOSPC: no space left on device/);
    await expect(store.write('head-000002.safetensors', tooMuch)).rejects.toMatchObject({ code: 'SAVE_FAILED' });
    expect(files()).toEqual([name]);
    expect(Array.from(readFileSync(join(folder, name)))).toEqual([1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
