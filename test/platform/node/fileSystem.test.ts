// Models in a folder: complete, atomic, checked when read. The crash at every step is the point of it.
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { io } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSystem } from '../../../src/platform/node/fileSystem.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'transferkit-files-'));
});
afterEach(() => rm(root, { recursive: true }));

const everything: io.ModelArtifacts = {
  modelTopology: { class_name: 'Sequential', config: [] },
  format: 'layers-model',
  generatedBy: 'transferkit',
  convertedBy: 'somebody',
  signature: { inputs: {} },
  userDefinedMetadata: { transferkit: { labels: ['a', 'ü'] } },
  trainingConfig: { loss: 'meanSquaredError', metrics: ['acc'], optimizer_config: {} },
  modelInitializer: { node: [] },
  initializerSignature: { inputs: {} },
  weightSpecs: [
    { name: 'dense/kernel', shape: [2], dtype: 'float32' },
    { name: 'dense/bias', shape: [1], dtype: 'int32' },
  ],
  weightData: Float32Array.of(1, 2, 3).buffer,
};

function withWeights(...values: number[]): io.ModelArtifacts {
  return { ...everything, weightData: Float32Array.from(values).buffer };
}

async function weightsIn(folder: string): Promise<number[]> {
  const { weightData } = await fileSystem(folder).load();
  const parts = Array.isArray(weightData) ? weightData : [weightData ?? new ArrayBuffer(0)];
  return parts.flatMap((part) => Array.from(new Float32Array(part)));
}

/** As if everything in the folder but model.json had been written a minute ago. */
async function age(): Promise<void> {
  const past = new Date(Date.now() - 60_000);
  for (const name of await readdir(root)) if (name !== 'model.json') await utimes(join(root, name), past, past);
}

describe('fileSystem', () => {
  it('writes every field of the artefact and reads it back', async () => {
    const folder = join(root, 'new', 'model');
    const { modelArtifactsInfo } = await fileSystem(folder).save(everything);
    expect(modelArtifactsInfo).toMatchObject({ modelTopologyType: 'JSON', weightDataBytes: 12 });
    const files = (await readdir(folder)).sort();
    expect(files).toEqual(['model.json', expect.stringMatching(/^weights\.[0-9a-f]{8}\.bin$/)]);
    const { weightData, weightSpecs, ...rest } = everything;
    expect(JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'))).toEqual({
      ...rest,
      weightsManifest: [{ paths: [files[1]], weights: weightSpecs }],
    });
    const loaded = await fileSystem(folder).load();
    expect(loaded).toMatchObject({ ...rest, weightSpecs });
    expect(await weightsIn(folder)).toEqual([1, 2, 3]);
    expect(weightData).toBeDefined();
  });

  it('serves tfjs: model.save and loadLayersModel', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 2, inputShape: [3] }), tf.layers.batchNormalization()],
    });
    await model.save(fileSystem(pathToFileURL(join(root, 'model'))));
    const again = await tf.loadLayersModel(fileSystem(join(root, 'model')));
    expect(again.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(
      model.getWeights().map((weight) => Array.from(weight.dataSync())),
    );
    model.dispose();
    again.dispose();
  });

  it('joins weight data in parts', async () => {
    const weightData = [Float32Array.of(1, 2).buffer, Float32Array.of(3).buffer];
    await fileSystem(root).save({ ...everything, weightData });
    const parts = (await readdir(root)).sort();
    await fileSystem(root).save(everything);
    expect((await readdir(root)).sort()).toEqual(parts); // the same content has the same name
  });

  it('removes weights and temporary files of earlier saves, and nothing else', async () => {
    await writeFile(join(root, 'weights.bin'), 'mine');
    await writeFile(join(root, 'weights.0123abcd.bin.0123456789ab.tmp'), 'left by a crash');
    await fileSystem(root).save(withWeights(1, 2, 3));
    await age();
    await fileSystem(root).save(withWeights(4, 5, 6));
    await age();
    await fileSystem(root).save(withWeights(7, 8, 9));
    expect((await readdir(root)).filter((name) => /\.tmp$|^weights\.bin$/.test(name))).toEqual(['weights.bin']);
    expect(await readdir(root)).toHaveLength(4); // those of the last two saves
    expect(await weightsIn(root)).toEqual([7, 8, 9]);
  });

  it('keeps the weights of a save that has just been replaced: a reader may have read their name', async () => {
    await fileSystem(root).save(withWeights(1, 2, 3));
    const [old = ''] = (await readdir(root)).filter((name) => name.endsWith('.bin'));
    await age(); // it counts from when it was replaced
    for (const value of [4, 5, 6]) await fileSystem(root).save(withWeights(value, value, value));
    expect(await readdir(root)).toContain(old);
    await age();
    await fileSystem(root).save(withWeights(7, 8, 9));
    expect(await readdir(root)).not.toContain(old);
  });

  it('is read again by a reader whose weights were removed, if model.json has changed', async () => {
    await fileSystem(root).save(withWeights(1, 2, 3));
    const original = fs.open;
    let rounds = 0;
    Object.assign(fs, {
      open: async (...parts: Parameters<typeof fs.open>) => {
        if (String(parts[0]).endsWith('.bin') && rounds++ < 3) {
          await rm(String(parts[0]));
          Object.assign(fs, { open: original });
          syncBuiltinESMExports();
          await fileSystem(root).save(withWeights(rounds, rounds, rounds));
        }
        return original(...parts);
      },
    });
    syncBuiltinESMExports();
    expect(await weightsIn(root)).toEqual([1, 1, 1]);
  });

  it('runs saves of one handler one after the other', async () => {
    const handler = fileSystem(root);
    await Promise.all([1, 2, 3, 4].map((value) => handler.save(withWeights(value, value, value))));
    expect(await weightsIn(root)).toEqual([4, 4, 4]);
  });

  it('refuses the path of a file', () => {
    expect(() => fileSystem('models/model.json')).toThrow(
      /expected a folder, got .*Give the folder that holds model\.json: '.*models'/,
    );
  });
});

type Operation = 'open' | 'rename' | 'mkdir' | 'rm' | 'readdir';

/** Runs a save in which the n-th call of one operation does something else: never comes back (a crash), or fails. */
async function interrupted(
  operation: Operation,
  n: number,
  what: 'crash' | 'fail',
  save: () => Promise<unknown>,
): Promise<'saved' | 'crashed' | Error> {
  const original = fs[operation] as (...parts: unknown[]) => Promise<unknown>;
  let calls = 0;
  let crashed: (value: 'crashed') => void = () => undefined;
  const crash = new Promise<'crashed'>((done) => {
    crashed = done;
  });
  Object.assign(fs, {
    [operation]: (...parts: unknown[]) => {
      calls += 1;
      if (calls !== n) return original(...parts);
      if (what === 'fail') return Promise.reject(new Error('ENOSPC: no space left on device'));
      crashed('crashed');
      return new Promise(() => undefined);
    },
  });
  syncBuiltinESMExports();
  try {
    return await Promise.race([crash, save().then(() => 'saved' as const)]);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    Object.assign(fs, { [operation]: original });
    syncBuiltinESMExports();
  }
}

describe('a save that is interrupted', () => {
  const points: [Operation, number][] = [
    ['open', 1], // the weights' temporary file
    ['rename', 1],
    ['open', 2], // the folder
    ['open', 3], // model.json's temporary file
    ['rename', 2], // the commit
  ];

  it.each(points)('by a crash at %s %d leaves the old model, and the next save cleans up', async (operation, n) => {
    await fileSystem(root).save(withWeights(1, 2, 3));
    const outcome = await interrupted(operation, n, 'crash', () => fileSystem(root).save(withWeights(4, 5, 6)));
    expect(outcome).toBe('crashed');
    expect(await weightsIn(root)).toEqual([1, 2, 3]);
    await age();
    await fileSystem(root).save(withWeights(7, 8, 9));
    expect(await weightsIn(root)).toEqual([7, 8, 9]);
    expect((await readdir(root)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each<[Operation, number]>([
    ['open', 4],
    ['readdir', 2],
  ])('by a crash at %s %d, after the commit, has the new model', async (operation, n) => {
    await fileSystem(root).save(withWeights(1, 2, 3));
    expect(await interrupted(operation, n, 'crash', () => fileSystem(root).save(withWeights(4, 5, 6)))).toBe('crashed');
    expect(await weightsIn(root)).toEqual([4, 5, 6]);
  });

  it.each<[Operation, number]>([
    ['open', 1],
    ['rename', 1],
    ['open', 3],
    ['rename', 2],
  ])('by a failure at %s %d changes nothing', async (operation, n) => {
    await fileSystem(root).save(withWeights(1, 2, 3));
    const before = (await readdir(root)).sort();
    const outcome = await interrupted(operation, n, 'fail', () => fileSystem(root).save(withWeights(4, 5, 6)));
    expect(outcome).toMatchObject({ code: 'SAVE_FAILED' });
    expect(String(outcome)).toMatch(
      /expected to write a model to .*, but: ENOSPC: no space left on device\. What was there before is unchanged/,
    );
    expect((await readdir(root)).sort()).toEqual(before);
    expect(await weightsIn(root)).toEqual([1, 2, 3]);
  });

  it('removes the folder that it created', async () => {
    const outcome = await interrupted('rename', 2, 'fail', () => fileSystem(join(root, 'a', 'b')).save(everything));
    expect(outcome).toMatchObject({ code: 'SAVE_FAILED' });
    expect(await readdir(root)).toEqual([]);
  });

  it('keeps weights of the same content when model.json cannot be replaced', async () => {
    await fileSystem(root).save(everything);
    await interrupted('rename', 2, 'fail', () => fileSystem(root).save({ ...everything, generatedBy: 'other' }));
    expect(await weightsIn(root)).toEqual([1, 2, 3]);
  });

  it.each<[string, io.ModelArtifacts, RegExp]>([
    ['below a file', everything, /ENOTDIR|EEXIST/],
    [
      'of a model without topology',
      { weightSpecs: [], weightData: new ArrayBuffer(0) },
      /the model has no topology in JSON/,
    ],
    [
      'of weights that are not all there',
      { ...everything, weightData: new ArrayBuffer(4) },
      /should have 12 bytes and have 4/,
    ],
  ])('%s', async (name, artifacts, text) => {
    await writeFile(join(root, 'file'), '');
    const place = name === 'below a file' ? join(root, 'file', 'model') : join(root, 'model');
    const error: unknown = await fileSystem(place)
      .save(artifacts)
      .catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'SAVE_FAILED', details: { path: place } });
    expect((error as Error).message).toMatch(text);
    expect(await readdir(root)).toEqual(['file']);
  });
});

describe('load refuses', () => {
  const shardIn = async (folder: string): Promise<string> =>
    join(folder, (await readdir(folder)).find((name) => name.endsWith('.bin')) ?? '');

  it('a missing model', async () => {
    const load = fileSystem(join(root, 'none')).load();
    await expect(load).rejects.toThrow(/expected a model in .*none.model\.json, but: ENOENT.* Save one there first/);
    await expect(load).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['{"mod', /got something that is not JSON/],
    ['{"layers":[]}', /got JSON without modelTopology and weightsManifest/],
    ['{"modelTopology":{},"weightsManifest":[{}]}', /got JSON without/],
  ])('model.json with %s', async (content, text) => {
    await writeFile(join(root, 'model.json'), content);
    await expect(fileSystem(root).load()).rejects.toThrow(text);
    await expect(fileSystem(root).load()).rejects.toMatchObject({ code: 'NOT_A_MODEL' });
  });

  it('weights that are missing, shorter or longer', async () => {
    await fileSystem(root).save(everything);
    const shard = await shardIn(root);
    await truncate(shard, 8);
    await expect(fileSystem(root).load()).rejects.toMatchObject({
      code: 'WEIGHTS_DAMAGED',
      details: { expected: 12, found: 8, files: shard },
    });
    await expect(fileSystem(root).load()).rejects.toThrow(`expected 12 bytes of weights in ${shard}, got 8.`);
    await truncate(shard, 16);
    await expect(fileSystem(root).load()).rejects.toThrow(/expected 12 bytes .* got 16/);
    await rm(shard);
    await expect(fileSystem(root).load()).rejects.toThrow(
      /expected the weight file .* that model\.json names, but: ENOENT/,
    );
  });

  it('a model in several files is read in order', async () => {
    await mkdir(join(root, 'many'));
    await writeFile(join(root, 'many', 'a.bin'), new Uint8Array(Float32Array.of(1).buffer));
    await writeFile(join(root, 'many', 'b.bin'), new Uint8Array(Float32Array.of(2, 3).buffer));
    const { weightSpecs, modelTopology } = everything;
    const json = { modelTopology, weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights: weightSpecs }] };
    await writeFile(join(root, 'many', 'model.json'), JSON.stringify(json));
    expect(await weightsIn(join(root, 'many'))).toEqual([1, 2, 3]);
  });
});

it.runIf(process.platform === 'linux')(
  'a file system without space for folders is refused without waiting',
  async () => {
    await expect(fileSystem('/proc/transferkit/model').save(withWeights(1, 2, 3))).rejects.toMatchObject({
      code: 'SAVE_FAILED',
    });
  },
);
