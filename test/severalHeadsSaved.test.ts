// Models with several heads in files: plain tfjs loads them with one output for each head, load brings all of them
// back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  evaluate,
  freeze,
  fromArrays,
  isTransferKitError,
  load,
  loadBase,
  predict,
  replaceHead,
  save,
  toGraphModel,
  trainHead,
  tuneThresholds,
  unfreeze,
  useBackend,
  type AnyModel,
  type LabelPrediction,
  type Samples,
  type Tasks,
  type TransferModel,
  type ValuePrediction,
} from '../src/index.ts';
import { fileSystem } from '../src/node.ts';
import { randomGenerator } from '../src/core/random.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinyModel } from './support/tinyModel.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-heads-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeAll(async () => {
  await useBackend('cpu');
});

let folders = 0;
const folder = () => join(root, `model-${String(folders++)}`);

const heads = {
  kind: { labels: ['a', 'b', 'c'], hidden: [4] },
  sure: { task: 'binary', labels: ['no', 'yes'] },
  tags: { task: 'multiLabel', labels: ['x', 'y'] },
  size: { task: 'regression', outputs: ['width', 'height'] },
} as const;
const tasks = { kind: 'classes', sure: 'binary', tags: 'multiLabel', size: 'regression' } as const;
type Four = TransferModel<typeof tasks>;

async function onLayers(): Promise<Four> {
  const source = tinyModel();
  const base = await loadBase(source, { cut: 'relu2' });
  source.dispose();
  return replaceHead(base, { heads, hidden: [6] });
}

async function onGraph(): Promise<Four> {
  return replaceHead(await loadBase(tinyGraph()), { heads, hidden: [6] });
}

function inputOf({ base }: AnyModel, seed = 5): Float32Array {
  const random = randomGenerator(seed);
  return new Float32Array(base.trunk.input.shape.reduce<number>((size, axis) => size * (axis ?? 1), 1)).map(() =>
    random(),
  );
}

function samplesFor(model: AnyModel): Samples {
  const targets = Array.from({ length: 6 }, (_, i) => ({
    kind: ['a', 'b', 'c'][i % 3] ?? '',
    sure: i % 2 === 0 ? 'yes' : 'no',
    tags: i % 2 === 0 ? ['x'] : ['y', 'x'],
    size: [i, -i],
  }));
  return fromArrays({ inputs: targets.map((_, i) => inputOf(model, i)), targets });
}

/** What predict says of an input, as a tfjs model gives it: by head, in the order of its labels. */
async function expectedOutputs<T extends Tasks>(model: TransferModel<T>, input: Float32Array) {
  const predictions: Readonly<Record<string, readonly (LabelPrediction | ValuePrediction)[]>> = await predict(
    model as AnyModel as TransferModel<Tasks>,
    input,
  );
  return model.head.parts.map(({ name, task, labels }) => {
    const all = labels.map((label) => {
      const found = predictions[name]?.find((each) => ('label' in each ? each.label : each.output) === label);
      return found === undefined ? NaN : 'probability' in found ? found.probability : found.value;
    });
    return { name, values: task === 'binary' ? all.slice(1) : all };
  });
}

function batch({ base }: AnyModel, input: Float32Array): tf.Tensor {
  return tf.tensor(input, [1, ...base.trunk.input.shape.slice(1).map((axis) => axis ?? 1)]);
}

function expectClose(actual: tf.Tensor | undefined, expected: readonly number[], digits = 6): void {
  const values = Array.from(actual?.dataSync() ?? []);
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] ?? NaN, digits);
  });
}

/** The files of a model as tfjs reads them. */
function artifacts(directory: string): tf.io.ModelArtifacts {
  const json = JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8')) as tf.io.ModelJSON;
  const parts = json.weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(directory, path))));
  const { modelTopology, signature, userDefinedMetadata } = json;
  return {
    modelTopology,
    weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
    weightData: new Uint8Array(Buffer.concat(parts)).buffer,
    ...(signature && { signature }),
    ...(userDefinedMetadata && { userDefinedMetadata }),
  };
}

async function expectRecord(graphModel: GraphModel, model: Four, digits: number): Promise<void> {
  const input = inputOf(model);
  const outputs = graphModel.predict(batch(model, input)) as tf.NamedTensorMap;
  expect(Object.keys(outputs)).toEqual(Object.keys(heads));
  for (const { name, values } of await expectedOutputs(model, input)) expectClose(outputs[name], values, digits);
  expectClose(graphModel.execute(batch(model, input), 'kind') as tf.Tensor, Array.from(outputs.kind?.dataSync() ?? []));
}

describe('plain tfjs', () => {
  test('loads a LayersModel with an output for each head, with its name', async () => {
    const model = await onLayers();
    const directory = folder();
    await expectNoLeak(() => save(model, fileSystem(directory)));
    const plain = await loadLayersModel(tf.io.fromMemory(artifacts(directory)));
    expect(plain.outputNames).toEqual(Object.keys(heads));
    const input = inputOf(model);
    const outputs = plain.predict(batch(model, input)) as tf.Tensor[];
    const expected = await expectedOutputs(model, input);
    expected.forEach(({ values }, i) => {
      expectClose(outputs[i], values);
    });
  });

  test('loads a GraphModel that gives a record', async () => {
    const model = await onGraph();
    const directory = folder();
    await expectNoLeak(() => save(model, fileSystem(directory)));
    await expectRecord(await loadGraphModel(tf.io.fromMemory(artifacts(directory))), model, 6);
  });

  test.each([
    ['layers', onLayers],
    ['nodes', onGraph],
  ])('gets a record from the fused GraphModel of toGraphModel, on %s', async (_, make) => {
    const model = await make();
    const graphModel = await toGraphModel(model);
    await expectRecord(graphModel, model, 4);
    expect(graphModel.metadata).toMatchObject({ labels: model.labels });
  });
});

describe('load', () => {
  test.each([
    ['layers', onLayers],
    ['nodes', onGraph],
  ])('restores everything on %s, and training continues', async (_, make) => {
    const model = await make();
    const samples = samplesFor(model);
    await trainHead(model, samples, { epochs: 1 });
    const { sure, tags } = await tuneThresholds(model, samples);
    expect([sure.length, tags.length]).toEqual([1, 2]);
    freeze(model, 'head_kind_logits');
    unfreeze(model, { lastStages: 1 });
    const directory = folder();
    await save(model, fileSystem(directory));
    const again = await load(directory, { task: tasks });
    const weights = ({ base, head }: AnyModel) =>
      [...base.trunk.weights, ...head.trunk.weights].map(({ name, frozen, variable }) => {
        return { name, frozen, values: Array.from(variable.dataSync()) };
      });
    expect(weights(again)).toEqual(weights(model));
    expect([again.head.task, again.head.parts, again.labels]).toEqual([tasks, model.head.parts, model.labels]);
    expect([again.history, again.head.trained]).toEqual([model.history, true]);
    const input = inputOf(model);
    expect(await predict(again, input)).toEqual(await predict(model, input));
    // Which examples a model was trained on is known to the process that trained it: `warnings` may differ.
    const { warnings: _known, ...figures } = await evaluate(model, samples);
    expect(await evaluate(again, samples)).toMatchObject(figures);
    await trainHead(again, samples, { epochs: 2, initialEpoch: 1 });
    expect(again.history).toHaveLength(2);
    again.dispose();
  });

  test('keeps one named head a record', async () => {
    const source = tinyModel();
    const model = replaceHead(await loadBase(source, { cut: 'relu2' }), { heads: { size: { task: 'regression' } } });
    const directory = folder();
    await save(model, fileSystem(directory));
    const again = await load(directory, { task: { size: 'regression' } });
    expect(again.labels).toEqual({ size: ['output'] });
    const plain = await loadLayersModel(tf.io.fromMemory(artifacts(directory)));
    expect(plain.outputNames).toEqual(['size']);
  });

  test('names the tasks of the heads if others were expected', async () => {
    const directory = folder();
    await save(await onLayers(), fileSystem(directory));
    await expectRefused(
      () => load(directory, { task: 'classes' }),
      /expected a model of task 'classes', got \{ "kind": 'classes', "size": 'regression', .* or give \{ "kind"/,
    );
    await expectRefused(
      () => load(directory, { task: { kind: 'binary' } }),
      /task \{ "kind": 'binary' \}, got \{ "kind"/,
    );
    expect((await load(directory)).task).toEqual(tasks);
    const { size, tags, sure, kind } = tasks;
    expect((await load(directory, { task: { size, tags, sure, kind } })).head.parts[0]?.name).toBe('kind');
  });

  test.each<[string, (saved: SavedFields) => unknown, RegExp]>([
    ['labels of one head', (saved) => ({ ...saved, labels: ['a'] }), /damaged field 'labels'/],
    [
      'a head without labels',
      (saved) => ({ ...saved, labels: { ...saved.labels, kind: undefined } }),
      /field 'labels'/,
    ],
    ['no heads', (saved) => ({ ...saved, task: {} }), /damaged field 'task'/],
    ['another task', (saved) => ({ ...saved, task: { ...saved.task, kind: 'kinds' } }), /damaged field 'task'/],
    ['logits of one head', (saved) => ({ ...saved, head: { ...saved.head, logits: 'x' } }), /damaged field 'head'/],
    [
      'logits that are not there',
      (saved) => ({ ...saved, head: { ...saved.head, logits: { ...saved.head.logits, kind: 'gone' } } }),
      /head\.logits to name a layer of 'tiny', got 'gone'/,
    ],
    [
      'too many labels',
      (saved) => ({ ...saved, labels: { ...saved.labels, kind: ['a', 'b', 'c', 'd'] } }),
      /got 4 labels for 3 logits of task 'classes' of head 'kind'/,
    ],
  ])('refuses metadata with %s', async (_, change, text) => {
    const directory = folder();
    await save(await onLayers(), fileSystem(directory));
    const file = join(directory, 'model.json');
    const json = JSON.parse(readFileSync(file, 'utf8')) as { userDefinedMetadata: { transferkit: SavedFields } };
    const transferkit = change(json.userDefinedMetadata.transferkit);
    writeFileSync(file, JSON.stringify({ ...json, userDefinedMetadata: { transferkit } }));
    await expectRefused(() => load(directory, { task: tasks }), text);
  });
});

interface SavedFields {
  readonly task: object;
  readonly labels: object;
  readonly head: { readonly logits: object };
}

async function expectRefused(run: () => Promise<unknown>, text: RegExp): Promise<void> {
  const error: unknown = await run().then(
    () => undefined,
    (raised: unknown) => raised,
  );
  expect(isTransferKitError(error), String(error)).toBe(true);
  expect(String(error)).toMatch(text);
}
