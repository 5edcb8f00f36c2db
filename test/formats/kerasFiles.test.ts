// Where Keras files come from: a disk, where they are read in place, and archives, of which nothing is believed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { unzipSync, zipSync, type Zippable } from 'fflate';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { platform } from '#platform';
import { loadKerasFile, readKerasFile, type KerasFile } from '../../src/formats/keras/kerasFile.ts';

const folder = fileURLToPath(new URL('../golden/keras/', import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(folder + name));
const temporary = mkdtempSync(join(tmpdir(), 'keras-files-'));

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterAll(() => {
  rmSync(temporary, { recursive: true });
});

/** Every value of a file, by its place. */
function valuesOf(file: KerasFile) {
  return file.layers.flatMap(({ weights }) => weights.map((weight) => [weight.location, [...weight.read()]] as const));
}

function withCode(code: string, message = /./): unknown {
  return expect.objectContaining({ code, message: expect.stringMatching(message) as string });
}

function put(name: string, bytes: Uint8Array): string {
  const path = join(temporary, name);
  writeFileSync(path, bytes);
  return path;
}

describe('on a disk', () => {
  test.each(['functional.h5', 'functional.weights.h5', 'keras1.h5'])(
    '%s is read in place, never whole',
    async (name) => {
      const whole = vi.spyOn(platform, 'readBytes');
      const file = await loadKerasFile(folder + name);
      expect(valuesOf(file)).toEqual(valuesOf(readKerasFile(bytesOf(name), name)));
      expect(whole).not.toHaveBeenCalled();
      whole.mockRestore();
    },
  );

  test('an archive is read whole', async () => {
    const file = await loadKerasFile(`${folder}sequential.keras`);
    expect(file.topology).toMatchObject({ class_name: 'Sequential' });
  });

  test('a file that is missing, truncated or of another format', async () => {
    const silent = vi.spyOn(console, 'error');
    await expect(loadKerasFile(join(temporary, 'nothing.h5'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const half = put('half.h5', bytesOf('functional.h5').subarray(0, 20_000));
    await expect(loadKerasFile(half)).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
    const other = put('other.h5', new TextEncoder().encode('<html>'));
    await expect(loadKerasFile(other)).rejects.toMatchObject({ code: 'UNSUPPORTED_SOURCE' });
    expect(silent).not.toHaveBeenCalled();
    silent.mockRestore();
  });
});

describe('archives', () => {
  const entries = () => unzipSync(bytesOf('sequential.keras'));
  const read = (files: Zippable) => readKerasFile(zipSync(files), 'the archive');

  test('may be compressed, and hold other files, whose names are not used', () => {
    const packed = read({ ...entries(), '../../etc/passwd': new Uint8Array(3), 'assets/x': new Uint8Array(3) });
    expect(valuesOf(packed)).toEqual(valuesOf(readKerasFile(bytesOf('sequential.keras'), 'stored')));
  });

  /** Changes the sizes that the table of contents claims for an entry. */
  function claim(archive: Uint8Array, name: string, size: number): Uint8Array {
    const view = new DataView(archive.buffer);
    for (let at = 0; at < archive.length - 46; at++) {
      if (view.getUint32(at, true) !== 0x02014b50) continue;
      const length = view.getUint16(at + 28, true);
      const found = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + length));
      if (found === name) view.setUint32(at + 24, size, true);
    }
    return archive;
  }

  test.each([
    ['claims more than deflate can pack', 4_000_000_000, /claims 4000000000 bytes in \d+/],
    ['is smaller than it claims', 200_000, /does not have the 200000 bytes/],
    ['is larger than it claims', 1000, /does not have the 1000 bytes/],
  ])('one whose weights: %s', (_, size, message) => {
    const archive = claim(zipSync(entries()), 'model.weights.h5', size);
    expect(() => readKerasFile(archive, 'it')).toThrow(withCode('WEIGHTS_DAMAGED', message));
  });

  test('a bomb: many times larger than weights can be compressed to', () => {
    expect(() => read({ ...entries(), 'model.weights.h5': new Uint8Array(70 * 2 ** 20) })).toThrow(
      withCode('WEIGHTS_DAMAGED', /claims 73400320 bytes in \d+/),
    );
  });

  test('a configuration of gigabytes, or none that is JSON', () => {
    const huge = claim(zipSync(entries()), 'config.json', 300 * 1024 * 1024);
    expect(() => readKerasFile(huge, 'it')).toThrow(withCode('NOT_A_MODEL'));
    expect(() => read({ ...entries(), 'config.json': new Uint8Array(9) })).toThrow(/not JSON/);
  });

  /** Where each entry is, by the table of contents: header, data, and its line in the table. */
  function placesOf(archive: Uint8Array): Map<string, { header: number; data: number; length: number; line: number }> {
    const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
    const places = new Map<string, { header: number; data: number; length: number; line: number }>();
    for (let line = view.getUint32(archive.length - 6, true); view.getUint32(line, true) === 0x02014b50;) {
      const [nameLength, header] = [view.getUint16(line + 28, true), view.getUint32(line + 42, true)];
      const name = new TextDecoder().decode(archive.subarray(line + 46, line + 46 + nameLength));
      const data = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
      places.set(name, { header, data, length: view.getUint32(line + 20, true), line });
      line += 46 + nameLength + view.getUint16(line + 30, true) + view.getUint16(line + 32, true);
    }
    return places;
  }

  const stored = () => zipSync(entries(), { level: 0 });
  const deflated = () => zipSync(entries(), { level: 6 });

  test.each([
    ['stored', stored],
    ['deflated', deflated],
  ])('a flipped bit in a %s member is detected', (_, make) => {
    const whole = make();
    const places = placesOf(whole);
    expect([...places.keys()].sort()).toEqual(['config.json', 'metadata.json', 'model.weights.h5']);
    for (const [name, { data, length }] of places) {
      // The last byte of what is deflated may end in bits that say nothing.
      for (const at of Array.from({ length: 24 }, (_, i) => data + Math.floor((i * (length - 2)) / 23))) {
        const damaged = whole.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
        expect(() => readKerasFile(damaged, 'it')).toThrow(withCode('WEIGHTS_DAMAGED', new RegExp(`whose '${name}'`)));
      }
    }
  });

  test('a stored member of another size than it claims', () => {
    expect(() => readKerasFile(claim(stored(), 'model.weights.h5', 1000), 'it')).toThrow(
      withCode('WEIGHTS_DAMAGED', /'model.weights.h5' claims 1000 bytes in \d+/),
    );
  });

  test('duplicate names, two names for one entry, overlapping entries', () => {
    const archive = (change: (bytes: Uint8Array, places: ReturnType<typeof placesOf>) => void) => {
      const bytes = zipSync({ ...entries(), configXjson: new TextEncoder().encode('{}') });
      change(bytes, placesOf(bytes));
      return () => readKerasFile(bytes, 'it');
    };
    const dot = '.'.charCodeAt(0);
    const twice = archive((bytes, places) => {
      const { header, line } = places.get('configXjson') ?? { header: 0, line: 0 };
      bytes[line + 46 + 6] = dot;
      bytes[header + 30 + 6] = dot;
    });
    expect(twice).toThrow(withCode('WEIGHTS_DAMAGED', /two entries 'config.json'/));
    const renamed = archive((bytes, places) => {
      bytes[(places.get('configXjson')?.header ?? 0) + 30 + 6] = dot;
    });
    expect(renamed).toThrow(withCode('WEIGHTS_DAMAGED', /'configXjson' has another name in its own header/));
    const overlapping = archive((bytes, places) => {
      const view = new DataView(bytes.buffer);
      view.setUint32((places.get('configXjson')?.line ?? 0) + 42, places.get('config.json')?.header ?? 0, true);
    });
    expect(overlapping).toThrow(withCode('WEIGHTS_DAMAGED', /lies on what follows/));
    const longer = archive((bytes, places) => {
      const view = new DataView(bytes.buffer);
      const { line, length } = places.get('model.weights.h5') ?? { line: 0, length: 0 };
      view.setUint32(line + 20, length + 40, true);
    });
    expect(longer).toThrow(withCode('WEIGHTS_DAMAGED', /lies on what follows/));
  });

  test.each([
    ['archive/data.pkl', /PyTorch/],
    ['model/saved_model.pb', /SavedModel in a ZIP/],
    ['arr_0.npy', /NumPy/],
    ['photo.jpg', /ZIP archive with photo.jpg/],
  ])('with %s', (name, message) => {
    expect(() => read({ [name]: new Uint8Array(8) })).toThrow(withCode('UNSUPPORTED_SOURCE', message));
  });

  test('a tfjs model where Keras weights are expected', () => {
    const archive = () => read({ 'model.json': new Uint8Array(8) });
    expect(archive).toThrow(withCode('NOT_A_MODEL', /got a tfjs model in a ZIP archive/));
  });

  test('a broken table of contents, a broken entry', () => {
    const archive = zipSync(entries());
    const broken = archive.slice();
    const view = new DataView(broken.buffer);
    view.setUint32(broken.length - 22 + 16, broken.length - 40, true);
    expect(() => readKerasFile(broken, 'it')).toThrow(/broken table of contents/);
    const noise = archive.slice();
    noise.fill(0xff, 200, 5000);
    expect(() => readKerasFile(noise, 'it')).toThrow(withCode('WEIGHTS_DAMAGED'));
  });
});
