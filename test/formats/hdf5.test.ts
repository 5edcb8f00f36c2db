// HDF5 files against what h5py reads from them; damage of every kind; and files that lead out of themselves.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isTransferKitError } from '../../src/core/errors.ts';
import { adler32, fletcher32, lookup3 } from '../../src/formats/hdf5/checksums.ts';
import { hdf5InMemory } from '../../src/formats/hdf5/hdf5InMemory.ts';
import { readHdf5, type Hdf5File } from '../../src/formats/hdf5/readHdf5.ts';
import { openHdf5 } from '../../src/platform/node/hdf5OnDisk.ts';
import { loadKerasFile, readKerasFile } from '../../src/formats/keras/kerasFile.ts';
import { randomGenerator } from '../../src/core/random.ts';

const folder = fileURLToPath(new URL('../golden/hdf5/', import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(folder + name));
const open = (bytes: Uint8Array) => readHdf5(hdf5InMemory(bytes), 'the file');

interface Truth {
  readonly keys: Record<string, string[]>;
  readonly values: Record<string, number[]>;
  readonly texts: Record<string, Record<string, string[]>>;
}

function isTruth(value: unknown): value is Record<string, Truth> {
  return typeof value === 'object' && value !== null && 'old.h5' in value;
}

const golden: unknown = JSON.parse(readFileSync(`${folder.slice(0, -1)}.json`, 'utf8'));
const truths = isTruth(golden) ? Object.entries(golden) : [];

function everything(file: Hdf5File, { keys, values, texts }: Truth): Truth {
  const mapped = <In, Out>(from: Record<string, In>, read: (path: string, value: In) => Out) =>
    Object.fromEntries(Object.entries(from).map(([path, value]) => [path, read(path, value)]));
  return {
    keys: mapped(keys, (path) => [...file.keys(path)].sort()),
    values: mapped(values, (path) => [...(file.dataset(path)?.read() ?? [])]),
    texts: mapped(texts, (path, names) => mapped(names, (name) => [...(file.texts(path, name) ?? [])])),
  };
}

const silent = (['error', 'warn', 'log', 'info'] as const).map((name) => ({ name, calls: [] as unknown[] }));
beforeEach(() => {
  for (const { name, calls } of silent) vi.spyOn(console, name).mockImplementation((...all) => void calls.push(...all));
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(silent.flatMap(({ calls }) => calls)).toEqual([]);
});

describe('content of a file', () => {
  test.each(truths)('%s: names, texts and values are those that h5py reads', (name, truth) => {
    expect(everything(open(bytesOf(name)), truth)).toEqual(truth);
  });

  test('a file on a disk is read in place, and closed', async () => {
    const [name, truth] = truths[0] ?? ['', { keys: {}, values: {}, texts: {} }];
    const storage = await openHdf5(folder + name);
    if (storage === undefined) throw new RangeError(name);
    let left = 0;
    const counted = {
      ...storage,
      open: () => {
        left++;
        const file = storage.open();
        const close = () => {
          left--;
          file.close();
        };
        return { ...file, close };
      },
    };
    expect(everything(readHdf5(counted, name), truth)).toEqual(truth);
    await Promise.resolve();
    expect(left).toBe(0);
  });

  test('checksums are those of their definitions', () => {
    const text = (letters: string) => new TextEncoder().encode(letters);
    // Bob Jenkins's own values, Python's zlib.adler32, and the Fletcher-32 of words that are multiples of 65535.
    expect(lookup3(new Uint8Array(0))).toBe(0xdeadbeef);
    expect(lookup3(text('Four score and seven years ago'))).toBe(0x17770551);
    expect(adler32(text('Wikipedia'))).toBe(0x11e60398);
    expect(fletcher32(Uint8Array.of(0xff, 0xff, 0, 0))).toBe(0xffffffff);
    expect(fletcher32(text('abcde'))).toBe(fletcher32(text('abcde\0')));
  });
});

describe('references out of a file and circular references', () => {
  test.each([
    ['externalLink', 'UNSUPPORTED_SOURCE', /external link to the file 'outside.h5'/],
    ['externalGroup', 'UNSUPPORTED_SOURCE', /external link to the file 'outside.h5' as 'other'/],
    ['externalStorage', 'UNSUPPORTED_SOURCE', /lie in other files \(external storage\)/],
    ['virtual', 'UNSUPPORTED_SOURCE', /virtual dataset, whose values lie in other files/],
    ['softOut', 'UNSUPPORTED_SOURCE', /external link to the file 'outside.h5'/],
    ['softCircle', 'WEIGHTS_DAMAGED', /links that lead in circles/],
    ['hardCircle', 'WEIGHTS_DAMAGED', /groups that lie in each other without end/],
    ['unwritten', 'WEIGHTS_DAMAGED', /never written/],
    ['lzf', 'UNSUPPORTED_SOURCE', /packed by LZF instead of gzip/],
  ])('%s is refused, in memory and on a disk', async (name, code, message) => {
    const read = (file: ReturnType<typeof readKerasFile>) =>
      file.layers.flatMap(({ weights }) => weights.map((weight) => weight.read()));
    const error = expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;
    expect(() => read(readKerasFile(bytesOf(`${name}.weights.h5`), 'it'))).toThrow(error);
    await expect(loadKerasFile(`${folder}${name}.weights.h5`).then(read)).rejects.toEqual(error);
  });
});

describe('damage', () => {
  test.each(['gzip', 'fletcher32'])('damage to any byte of a chunk with a checksum (%s) is detected', (name) => {
    const whole = bytesOf(`${name}.weights.h5`);
    const values = [...(open(whole).dataset('/layers/dense/vars/1')?.read() ?? [])];
    expect(values.map((value) => Math.round(value * 7))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    const { start, length } = lastChunk(whole, name);
    for (let at = start; at < start + length; at++) {
      const damaged = whole.map((byte, i) => (i === at ? byte ^ 4 : byte));
      const file = open(damaged);
      expect(() => ['0', '1'].map((weight) => file.dataset(`/layers/dense/vars/${weight}`)?.read())).toThrow(
        expect.objectContaining({ code: 'WEIGHTS_DAMAGED', message: expect.stringContaining('dense/vars/') as string }),
      );
    }
  });

  test.each(truths)('%s: damaged files give values or an error of this package', (name, truth) => {
    const [whole, random] = [bytesOf(name), randomGenerator(1)];
    const [paths, groups] = [Object.keys(truth.values), Object.keys(truth.keys)];
    const pick = (length: number) => Math.floor(random() * length);
    for (let round = 0; round < 60; round++) {
      const damaged = whole.slice();
      for (let n = pick(4); n >= 0; n--) damaged[pick(whole.length)] = [0, 255, 1, pick(256)][pick(4)] ?? 0;
      const file = attempt(() => open(damaged));
      for (const path of [paths[pick(paths.length)] ?? '', '/many', groups[pick(groups.length)] ?? '']) {
        attempt(() => file?.keys(path));
        attempt(() => file?.texts(path, 'json'));
        attempt(() => file?.dataset(path)?.read());
      }
    }
  });
});

/** Where the last chunk is that holds twelve floats: packed, or with its checksum behind it. */
function lastChunk(bytes: Uint8Array, kind: string): { start: number; length: number } {
  const first = new Uint8Array(Float32Array.of(1 / 7, 2 / 7).buffer);
  for (let start = bytes.length - 8; start > 0; start--) {
    if (kind === 'fletcher32' && first.every((byte, i) => bytes[start + i] === byte)) return { start, length: 52 };
    const length = kind === 'gzip' ? zlibLength(bytes.subarray(start)) : undefined;
    if (length !== undefined) return { start, length };
  }
  throw new RangeError(kind);
}

/** Bytes of the zlib stream at the beginning, if it holds twelve floats. */
function zlibLength(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== 0x78) return undefined;
  // What follows a stream is ignored: the shortest beginning that still unpacks is the stream.
  const unpacks = (length: number) => inflateSync(bytes.subarray(0, length)).length === 48;
  try {
    if (!unpacks(bytes.length)) return undefined;
    return lengthThat(unpacks);
  } catch {
    return undefined;
  }
}

function lengthThat(unpacks: (length: number) => boolean, length = 1): number {
  try {
    if (unpacks(length)) return length;
  } catch {
    // cut off
  }
  return lengthThat(unpacks, length + 1);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isTransferKitError(error)) throw error;
    return undefined;
  }
}
