// Models as one ZIP archive: saved, loaded from every place, unpacked for plain tfjs, damaged and foreign ones.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { io } from '@tensorflow/tfjs-core';
import { unzipSync, zipSync, type Zippable } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipDownload } from '../src/browser.ts';
import { load, loadBase, predict, save, useBackend, zipBlob, type BaseSource } from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { randomGenerator } from '../src/core/random.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyPicture, tinyTransfer, weightValues } from './support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-zip-'));
const path = join(root, 'made/here/model.zip');
const text = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const picture = () => tinyPicture('along', randomGenerator(5));
let server: Server;
let address: string;
let bytes: Uint8Array<ArrayBuffer>;
let values: Record<string, number[]>;

beforeAll(async () => {
  await useBackend('cpu');
  using model = await tinyTransfer();
  values = weightValues(model);
  await save(model, path);
  bytes = new Uint8Array(readFileSync(path));
  server = createServer((_, response) => response.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/files/model.zip?token=1`;
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** The archive with other files. */
function repacked(change: (files: Record<string, Uint8Array>) => Zippable): Uint8Array<ArrayBuffer> {
  return zipSync(change(unzipSync(bytes)));
}

const parsed = (files: Record<string, Uint8Array>) =>
  JSON.parse(new TextDecoder().decode(files['model.json'])) as {
    weightsManifest: { paths: string[]; weights: { shape: number[] }[] }[];
  };

describe('a saved archive', () => {
  test('is one file, the same for the same model, and leaves nothing else', async () => {
    expect(readdirSync(join(root, 'made/here'))).toEqual(['model.zip']);
    expect(Object.keys(unzipSync(bytes)).sort()).toEqual(['model.json', 'weights.bin']);
    using model = await load(path);
    const again = join(root, 'again.zip');
    await save(model, pathToFileURL(again));
    await save(model, again); // replaces it
    expect(readFileSync(again).equals(bytes)).toBe(true);
  });

  test.each<[string, () => BaseSource]>([
    ['a path', () => path],
    ['a file: address', () => pathToFileURL(path)],
    ['an address', () => address],
    ['bytes', () => bytes],
    ['a Blob', () => new Blob([bytes])],
    ['a File', () => new File([bytes], 'model.bin')],
  ])('loads from %s', async (_, source) => {
    await expectNoLeak(async () => {
      using model = await load(source(), { task: 'classes', cacheDir: false });
      expect(weightValues(model)).toEqual(values);
      using base = await loadBase(source(), { cacheDir: false });
      expect(base.cut).toBe('relu2');
    });
  });

  test('is recognised by its content, whatever its name', async () => {
    const other = join(root, 'model.h5');
    writeFileSync(other, bytes);
    using model = await load(other);
    expect(model.task).toBe('classes');
  });

  test('unpacked, is a model of plain tfjs', async () => {
    const { 'model.json': json, 'weights.bin': weights } = unzipSync(bytes);
    const { modelTopology, weightsManifest } = JSON.parse(new TextDecoder().decode(json)) as io.ModelJSON;
    const weightSpecs = weightsManifest.flatMap((group) => group.weights);
    const weightData = new Uint8Array(weights ?? []).buffer;
    const plain = await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData }));
    expect(plain.outputs[0]?.shape).toEqual([null, 3]);
    plain.dispose();
  });

  test('also packed by somebody else, in a folder, deflated, with more files', async () => {
    const made = repacked((files) => ({
      'my model/model.json': files['model.json'] ?? new Uint8Array(),
      'my model/weights.bin': [files['weights.bin'] ?? new Uint8Array(), { level: 9 }],
      '__MACOSX/my model/._model.json': text('not read'),
      'other.bin': new Uint8Array(100),
    }));
    using model = await load(made, { task: 'classes' });
    expect(weightValues(model)).toEqual(values);
  });

  test("Teachable Machine's archive, with its labels", async () => {
    const plain = repacked((files) => {
      const { userDefinedMetadata: _ours, ...json } = parsed(files) as { userDefinedMetadata?: unknown };
      return { ...files, 'model.json': text(json), 'metadata.json': text({ labels: ['x', 'y', 'z'], imageSize: 16 }) };
    });
    using model = await load(plain, { task: 'classes' });
    expect(model.labels).toEqual(['x', 'y', 'z']);
    const [first] = await predict(model, picture());
    expect(first?.label).toMatch(/^[xyz]$/);
  });
});

describe('refused, with nothing left in memory:', () => {
  const twice = (files: Record<string, Uint8Array>) => ({ ...files, 'other/model.json': text({}) });
  const withPaths = (paths: string[]) => (files: Record<string, Uint8Array>) => {
    const json = parsed(files);
    const [group] = json.weightsManifest;
    return { ...files, 'model.json': text({ ...json, weightsManifest: [{ ...group, paths }] }) };
  };
  test.each<[string, (files: Record<string, Uint8Array>) => Zippable, string, RegExp]>([
    ['two models', twice, 'NOT_A_MODEL', /expected one model.json .*'model.json', 'other\/model.json'/],
    [
      'without weights',
      (files) => ({ 'model.json': files['model.json'] ?? text('') }),
      'WEIGHTS_DAMAGED',
      /'weights.bin'/,
    ],
    [
      'with too few weights',
      (files) => ({ ...files, 'weights.bin': files['weights.bin']?.slice(8) ?? text('') }),
      'WEIGHTS_DAMAGED',
      /expected \d+ bytes of weights/,
    ],
    ['a model.json that is none', (files) => ({ ...files, 'model.json': text('[1]') }), 'NOT_A_MODEL', /modelTopology/],
    ['weights outside', withPaths(['../weights.bin']), 'NOT_TRUSTED', /out of the folder/],
    ['weights at an address', withPaths(['https://example.org/w.bin']), 'NOT_TRUSTED', /out of the folder/],
    ['weights that are not there', withPaths(['gone.bin']), 'WEIGHTS_DAMAGED', /'gone.bin' .*found none/],
    [
      'weights with the hash of others in their name',
      (files) => ({
        ...withPaths(['weights.01234567.bin'])(files),
        'weights.01234567.bin': files['weights.bin'] ?? text(''),
      }),
      'WEIGHTS_DAMAGED',
      /hash 01234567/,
    ],
    ['a PyTorch file', () => ({ 'archive/data.pkl': text('x') }), 'UNSUPPORTED_SOURCE', /PyTorch/],
    ['photos', () => ({ 'a.jpg': text('x') }), 'UNSUPPORTED_SOURCE', /a ZIP archive with a.jpg/],
  ])('%s', async (_, change, code, message) => {
    const made = repacked(change);
    await expectNoLeak(async () => {
      await expect(load(made)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
    });
  });

  test('a bit that has flipped, anywhere in a file that is used', async () => {
    for (const name of ['model.json', 'weights.bin']) {
      const start = Buffer.from(bytes).indexOf(name) + name.length;
      for (const at of [start, start + 40, start + 99]) {
        const damaged = bytes.map((byte, i) => (i === at ? byte ^ 4 : byte));
        await expect(load(damaged)).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
      }
    }
    await expect(load(bytes.slice(0, -30))).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
  });

  test('files that unpack to more than maxBytes, before they are unpacked', async () => {
    const bomb = repacked((files) => ({ ...withPaths(['zeros.bin'])(files), 'zeros.bin': new Uint8Array(2 ** 24) }));
    expect(bomb.length).toBeLessThan(2 ** 17);
    // More bytes than the weights have.
    await expect(load(bomb)).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' });
    const large = join(root, 'large.zip');
    writeFileSync(large, zipSync({ 'model.json': text(JSON.stringify({ modelTopology: 'x'.repeat(2 ** 20) })) }));
    const error = { code: 'OUT_OF_RANGE', message: expect.stringMatching(/'model.json' claims \d+/) as unknown };
    await expect(load(large, { maxBytes: 2 ** 17 })).rejects.toMatchObject(error);
    await expect(load(new Blob([bytes]), { maxBytes: 100 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
  });

  test('JSON alone, whose weights cannot be found', async () => {
    const { 'model.json': json = text('') } = unzipSync(bytes);
    const error = { code: 'NOT_A_MODEL', message: expect.stringMatching(/JSON alone.*one ZIP archive/) as unknown };
    await expect(load(json)).rejects.toMatchObject(error);
    await expect(loadBase(new File([new Uint8Array(json)], 'model.json'))).rejects.toMatchObject(error);
  });
});

describe('targets that cannot be written', () => {
  test('a folder in its place: what was there stays, and no new folders', async () => {
    using model = await tinyTransfer();
    mkdirSync(join(root, 'folder.zip'));
    await expect(save(model, join(root, 'folder.zip'))).rejects.toMatchObject({ code: 'SAVE_FAILED' });
    const below = join(path, 'new/model.zip');
    await expect(save(model, below)).rejects.toMatchObject({ code: 'SAVE_FAILED', details: { path: below } });
    expect(readdirSync(join(root, 'made/here'))).toEqual(['model.zip']);
  });

  test('an app that fails with its Blob', async () => {
    using model = await tinyTransfer();
    const target = zipBlob(() => {
      throw new Error('full');
    });
    await expect(save(model, target)).rejects.toMatchObject({ code: 'SAVE_FAILED', details: { reason: 'full' } });
  });

  test('wrong values and places', () => {
    // @ts-expect-error A name is no function.
    expect(() => zipBlob('model.zip')).toThrow(/zipBlob: expected a function that takes the archive/);
    expect(() => zipDownload(' ')).toThrow(/zipDownload: expected a name for the file/);
    expect(() => zipDownload('model')).toThrow(/zipDownload: expected a page, got a worker or Node/);
    expect(() => fileSystem('model.zip')).toThrow(/fileSystem: expected a folder, .*save\(model, 'model.zip'\)/);
  });
});
