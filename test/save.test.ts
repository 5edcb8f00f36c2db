// save and load: the same numbers with and without transferkit, in this process and in a fresh one, and nothing half
// done.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  definePreprocessor,
  fineTune,
  freeze,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  unfreeze,
  useBackend,
  type TaskName,
  type TransferModel,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { runFresh } from './support/freshProcess.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyModel } from './support/tinyModel.ts';
import { tinyLabels, tinyPicture, tinySamples, tinyTransfer, weightValues } from './support/tinyTask.ts';
import { randomGenerator } from '../src/core/random.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-save-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeAll(async () => {
  await useBackend('cpu');
});

const picture = () => tinyPicture('along', randomGenerator(5));
let folders = 0;
const folder = () => join(root, `model-${String(folders++)}`);

/** tfjs's own loading, from the files that were written. */
async function loadPlain(directory: string): Promise<{ predict(x: tf.Tensor): tf.Tensor; dispose(): void }> {
  const json = JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8')) as {
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  };
  const weightData = new Uint8Array(
    Buffer.concat(
      json.weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(directory, path)))),
    ),
  ).buffer;
  const weightSpecs = json.weightsManifest.flatMap(({ weights }) => weights);
  const model = await loadLayersModel(tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData }));
  return {
    predict: (x) => model.predict(x) as tf.Tensor,
    dispose: () => {
      model.dispose();
    },
  };
}

describe('plain tfjs loads the saved model, and gives the same values:', () => {
  test.each<[TaskName, object]>([
    ['classes', { labels: tinyLabels, hidden: [6], pooling: 'both' }],
    ['binary', { labels: ['no', 'yes'] }],
    ['multiLabel', { labels: tinyLabels }],
    ['regression', { outputs: 2 }],
  ])('%s', async (task, options) => {
    const model: TransferModel = await tinyTransfer({ task, ...options });
    const directory = folder();
    await save(model, fileSystem(directory));
    const plain = await loadPlain(directory);
    const values = Array.from(plain.predict(tf.tensor4d(picture(), [1, 16, 16, 3])).dataSync());
    const ours = await predict(model, picture());
    const byLabel = model.labels.map((label) => {
      const found = ours.find((each) => ('label' in each ? each.label : each.output) === label);
      return found === undefined ? NaN : 'probability' in found ? found.probability : found.value;
    });
    const expected = task === 'binary' ? byLabel.slice(1) : byLabel;
    expect(values).toHaveLength(expected.length);
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 6);
    });
  });
});

describe('load restores a model:', () => {
  test('weights bit for bit, labels, freeze state, history, and it trains on', async () => {
    const model = await tinyTransfer({ hidden: [6] });
    await trainHead(model, tinySamples(), { epochs: 1 });
    unfreeze(model, 'conv2');
    freeze(model, 'head_dense_1');
    const directory = folder();
    await expectNoLeak(() => save(model, fileSystem(directory)));
    const again = await load(directory, { task: 'classes' });
    expect(weightValues(again)).toEqual(weightValues(model));
    expect(again.labels).toEqual(model.labels);
    expect(again.history).toEqual(model.history);
    expect([again.base.name, again.base.cut, again.head.trained]).toEqual(['tiny', 'relu2', true]);
    const states = (each: TransferModel) =>
      [...each.base.trunk.weights, ...each.head.trunk.weights].map(({ name, frozen }) => [name, frozen]);
    expect(states(again)).toEqual(states(model));
    expect(await predict(again, picture())).toEqual(await predict(model, picture()));
    expect((await fineTune(again, tinySamples(), { epochs: 1 })).cachedUpTo).toBe('pool');
  });

  test('in a fresh process', async () => {
    const model = await tinyTransfer();
    const directory = folder();
    await save(model, fileSystem(directory));
    const expected = await predict(model, picture());
    const output = await runFresh(
      `import { load, predict, useBackend } from 'transferkit';
      await useBackend('cpu');
      const model = await load(process.argv[2]);
      const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
      console.log(JSON.stringify({
        prediction: await predict(model, Float32Array.from(JSON.parse(process.argv[3]))),
        frozen: weights.filter((weight) => weight.frozen).map((weight) => weight.name),
        spec: model.base.preprocessor.spec,
      }));`,
      [directory, JSON.stringify(Array.from(picture()))],
    );
    const frozen = model.base.trunk.weights.map(({ name }) => name);
    expect(JSON.parse(output)).toEqual({ prediction: expected, frozen, spec: model.base.preprocessor.spec });
  });

  test('a loaded model can be cut again as a base', async () => {
    const model = await tinyTransfer({ hidden: [6] });
    const directory = folder();
    await save(model, fileSystem(directory));
    expect((await loadBase(directory)).cut).toBe('relu2');
    const inHead = await loadBase(directory, { cut: 'head_dense_1' });
    expect(inHead.trunk.output.shape).toEqual([null, 6]);
    const deeper = replaceHead(inHead, { labels: ['a', 'b'], hidden: [3] });
    const second = folder();
    await save(deeper, fileSystem(second));
    expect(await predict(await load(second), picture())).toEqual(await predict(deeper, picture()));
  });

  test('loading and disposing leaves no tensor', async () => {
    const directory = folder();
    await save(await tinyTransfer(), fileSystem(directory));
    await expectNoLeak(async () => {
      (await load(directory)).dispose();
    });
  });

  test('in a folder, by the same path or address as for load', async () => {
    const model = await tinyTransfer();
    const place = folder();
    for (const target of [
      place,
      `${place}/`,
      join(place, 'model.json'),
      pathToFileURL(place).href,
      pathToFileURL(place),
    ]) {
      rmSync(place, { recursive: true, force: true });
      await save(model, target);
      (await load(target)).dispose();
      expect(readdirSync(place)).toContain('model.json');
    }
    const start = process.cwd();
    process.chdir(root);
    try {
      for (const target of ['relative', 'file://./relative/model.json', 'file://relative', 'file:relative']) {
        rmSync(join(root, 'relative'), { recursive: true, force: true });
        await save(model, target);
        (await load(target)).dispose();
        expect(readdirSync(join(root, 'relative'))).toContain('model.json');
      }
    } finally {
      process.chdir(start);
    }
    await expect(save(model, 'file:///a%2Fb')).rejects.toThrow(
      /expected a file: address of a path, such as file:\/\/\//,
    );
    await expect(load('file:///a%2Fb')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  test('with damaged weights is refused: their name contains their hash', async () => {
    const place = folder();
    await save(await tinyTransfer(), place);
    const [shard = ''] = readdirSync(place).filter((name) => name.endsWith('.bin'));
    const bytes = readFileSync(join(place, shard));
    bytes[3] = (bytes[3] ?? 0) ^ 0x40;
    writeFileSync(join(place, shard), bytes);
    for (const source of [place, fileSystem(place)]) {
      await expectNoLeak(() => expect(load(source)).rejects.toMatchObject({ code: 'WEIGHTS_DAMAGED' }));
      await expect(load(source)).rejects.toThrow(/to have the hash [0-9a-f]{8} that its name says, got [0-9a-f]{8}/);
    }
  });

  test('with any tfjs IOHandler', async () => {
    const model = await tinyTransfer();
    let saved: tf.io.ModelArtifacts | undefined;
    await save(
      model,
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
      }),
    );
    const again = await load(tf.io.fromMemory(saved ?? {}));
    expect(await predict(again, picture())).toEqual(await predict(model, picture()));
  });

  test('needs a custom preprocessor again', async () => {
    const double = definePreprocessor<Float32Array>({
      name: 'double',
      apply: (values) => tf.tidy(() => tf.mul(tf.tensor3d(values, [16, 16, 3]), 2)),
    });
    const source = tinyModel();
    const model = replaceHead(await loadBase(source, { preprocess: double }), { labels: tinyLabels });
    const directory = folder();
    await save(model, fileSystem(directory));
    await expectNoLeak(() => expect(load(directory)).rejects.toMatchObject({ code: 'PREPROCESSOR_UNKNOWN' }));
    const again = await load(directory, { preprocess: double });
    expect(await predict(again, picture())).toEqual(await predict(model, picture()));
  });
});

describe('a model that cannot be loaded raises the reason, and leaks no tensor', () => {
  const failing = async (spoil: (directory: string) => void) => {
    const directory = folder();
    await save(await tinyTransfer(), fileSystem(directory));
    spoil(directory);
    return directory;
  };
  const shard = (directory: string) =>
    join(directory, readdirSync(directory).find((name) => name.endsWith('.bin')) ?? '');

  test.each<[string, (directory: string) => void, string, RegExp]>([
    [
      'a truncated shard',
      (d) => {
        truncateSync(shard(d), 100);
      },
      'WEIGHTS_DAMAGED',
      /expected \d+ bytes of weights .*, got 100 in .*truncated/,
    ],
    [
      'a missing shard',
      (d) => {
        rmSync(shard(d));
      },
      'WEIGHTS_DAMAGED',
      /expected the weight shard .* that model\.json names, found none/,
    ],
    [
      'no model.json',
      (d) => {
        rmSync(join(d, 'model.json'));
      },
      'NOT_FOUND',
      /model\.json/,
    ],
    [
      'something that is not JSON',
      (d) => {
        writeFileSync(join(d, 'model.json'), '<html>');
      },
      'NOT_A_MODEL',
      /expected a tfjs model\.json at .*, got something that is not JSON/,
    ],
    [
      'JSON that is no model',
      (d) => {
        writeFileSync(join(d, 'model.json'), '{"name": 1}');
      },
      'NOT_A_MODEL',
      /got JSON without modelTopology/,
    ],
    [
      'a topology that is none',
      (d) => {
        writeFileSync(join(d, 'model.json'), '{"modelTopology": {"node": []}}');
      },
      'UNSUPPORTED_SOURCE',
      /a graph with one input, got none/,
    ],
  ])('%s', async (_, spoil, code, text) => {
    const directory = await failing(spoil);
    await expectNoLeak(() => expect(load(directory)).rejects.toMatchObject({ code }));
    await expect(load(directory)).rejects.toThrow(text);
  });

  test('a model of another task', async () => {
    const directory = folder();
    await save(await tinyTransfer({ task: 'regression' }), fileSystem(directory));
    await expect(load(directory, { task: 'classes' })).rejects.toThrow(
      "load: expected a model of task 'classes', got 'regression'. Leave the option task out, or give 'regression'.",
    );
    for (const options of [{ task: 'regression' } as const, {}]) {
      const { task, labels } = await load(directory, options);
      expect({ task, labels }).toEqual({ task: 'regression', labels: ['output'] });
    }
  });
});

describe('a model that cannot be saved raises the reason', () => {
  test('an unwritable folder; no file is left', async () => {
    const model = await tinyTransfer();
    const file = join(root, 'a-file');
    writeFileSync(file, 'in the way');
    await expectNoLeak(() =>
      expect(save(model, fileSystem(join(file, 'model')))).rejects.toMatchObject({ code: 'SAVE_FAILED' }),
    );
    expect(readFileSync(file, 'utf8')).toBe('in the way');
  });

  test.each(['indexeddb://m', 'localstorage://m', 'downloads://m', 's3://bucket/m', ''])(
    '%j in Node',
    async (target) => {
      const model = await tinyTransfer();
      await expect(save(model, target)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(save(model, target)).rejects.toThrow(
        /save: expected a place that models can be saved in, got '.*': it is a store of browsers, or nothing\. Give the path of a folder such as '\.\/my-model'/,
      );
    },
  );

  test.each(['indexeddb://m', 'localstorage://m', 'downloads://m'])('%s cannot be loaded in Node', async (source) => {
    await expect(load(source)).rejects.toMatchObject({ code: 'UNSUPPORTED_SOURCE' });
    await expect(load(source)).rejects.toThrow(
      /expected a place that models can be read from, got '.*store of browsers/,
    );
  });

  test('a handler that fails', async () => {
    const model = await tinyTransfer();
    const full = tf.io.withSaveHandler(() => Promise.reject(new Error('disk full')));
    await expect(save(model, full)).rejects.toThrow('save: could not write the model: disk full');
  });

  test('a disposed model', async () => {
    const model = await tinyTransfer();
    model.dispose();
    await expect(save(model, fileSystem(folder()))).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
