// Exported ONNX files in ONNX Runtime itself: `npm run test:engine`.
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { exportModel, imagePreprocessor, loadBase, replaceHead, useBackend, type AnyModel } from '../../src/index.ts';
import type { OnnxRuntime } from '../../src/core/onnxRuntime.ts';
import { withPreprocessing } from '../../src/export/onnxPreprocessing.ts';
import { encodeModel } from '../../src/networks/onnx/onnxModel.ts';
import { loadOnnxRuntime } from '../../src/networks/engines/loadOnnxRuntime.ts';
import { tinyGraph } from '../support/tinyGraph.ts';
import { tinyTransfer } from '../support/tinyTask.ts';

let runtime: OnnxRuntime;
beforeAll(async () => {
  await useBackend('wasm');
  runtime = await loadOnnxRuntime();
});

async function exported(model: AnyModel, options: object): Promise<Uint8Array> {
  let file = new Blob();
  await exportModel(model, { write: (blob) => void (file = blob) }, { format: 'onnx', ...options });
  return new Uint8Array(await file.arrayBuffer());
}

/** Runs a model with one input. */
async function run(bytes: Uint8Array, input: string, data: Float32Array | Uint8Array, dims: readonly number[]) {
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  // The types name what the engine needs; bytes are another of the package's types.
  const type = (data instanceof Uint8Array ? 'uint8' : 'float32') as 'float32';
  const outputs = await session.run({ [input]: new runtime.Tensor(type, data, dims) });
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data: values }]) => [name, [...(values as Float32Array)]]),
  );
}

const gap = (found: readonly number[] = [], expected: readonly number[] = []) => {
  expect(found).toHaveLength(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN))));
};

test.each([
  [undefined, 1e-5],
  ['float16', 2e-3],
  ['uint8', 5e-2],
] as const)('in the precision %s: the probabilities of the model', async (quantize, most) => {
  for (const model of [await tinyTransfer(), replaceHead(await loadBase(tinyGraph()), { labels: ['a', 'b', 'c'] })]) {
    const { input } = model.base.trunk;
    const batch = tf.randomUniform([2, ...(input.shape.slice(1) as number[])], -1, 1, 'float32', 1);
    const expected = tf.tidy(() =>
      tf.softmax(model.head.trunk.run(model.base.trunk.run(batch)) as tf.Tensor2D).dataSync(),
    );
    const bytes = await exported(model, quantize === undefined ? {} : { quantize });
    const name = model.base.name === 'tiny' ? 'picture' : 'images';
    const { probabilities } = await run(bytes, name, batch.dataSync() as Float32Array, batch.shape);
    expect(gap(probabilities, [...expected])).toBeLessThan(most);
    model.dispose();
  }
});

test('several heads have one output each', async () => {
  using model = replaceHead(await loadBase(tinyGraph()), {
    heads: { kind: { labels: ['a', 'b'] }, size: { task: 'regression', outputs: ['x'] } },
  });
  const batch = tf.randomUniform([2, 8, 8, 3], -1, 1, 'float32', 1);
  const logits = tf.tidy(() => model.head.trunk.run(model.base.trunk.run(batch)).arraySync() as number[][]);
  const { kind, size } = await run(await exported(model, {}), 'images', batch.dataSync() as Float32Array, batch.shape);
  expect(
    gap(
      size,
      logits.map(([, , value = NaN]) => value),
    ),
  ).toBeLessThan(1e-4);
  expect((kind?.[0] ?? 0) + (kind?.[1] ?? 0)).toBeCloseTo(1, 5);
});

const sizes = [[8, 8], [31, 57], [57, 30], [4, 3], [5, 90], [301, 200], [1, 1]] as const; // prettier-ignore
const modes = ['tf', 'caffe', 'torch', 'unit', 'raw', { mean: 0.3, std: [0.1, 0.2, 0.3] }] as const;

test.each(['stretch', 'cover', 'contain'] as const)('preprocessing as nodes gives our numbers: %s', async (fit) => {
  for (const [place, resize] of (['antialias', 'bilinear', 'nearest'] as const).entries()) {
    for (const mode of modes.filter((_, each) => place === 0 || each < 2)) {
      const preprocessor = imagePreprocessor({ mode, fit, resize, size: [8, 12] });
      const port = { name: 'x', type: 'float32', shape: [null, 8, 12, 3] } as const;
      const copy = { name: 'y', op: 'Identity', inputs: ['x'], outputs: ['y'], attributes: {} };
      const outputs = [{ ...port, name: 'y' }];
      const plain = { name: 'copy', nodes: [copy], constants: [], inputs: [port], outputs };
      const bytes = encodeModel({ graph: withPreprocessing(plain, preprocessor.spec) });
      for (const [height, width] of sizes) {
        const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i * 7919 + ((i * i) % 251)) % 256);
        const own = await preprocessor.apply({ width, height, data });
        const { y } = await run(bytes, 'pictures', data, [1, height, width, 3]);
        const range = mode === 'raw' || mode === 'caffe' ? 255 : mode === 'unit' ? 1 : 5;
        expect(gap(y, [...own.dataSync()]) / range).toBeLessThan(1e-5);
        own.dispose();
      }
    }
  }
});

test('preprocessing takes several pictures, and pictures of one and of four channels', async () => {
  for (const channels of [1, 4] as const) {
    const preprocessor = imagePreprocessor({ mode: 'tf', size: [4, 4], channels });
    const port = { name: 'x', type: 'float32', shape: [null, 4, 4, channels] } as const;
    const copy = { name: 'y', op: 'Identity', inputs: ['x'], outputs: ['y'], attributes: {} };
    const plain = { name: 'copy', nodes: [copy], constants: [], inputs: [port], outputs: [{ ...port, name: 'y' }] };
    const bytes = encodeModel({ graph: withPreprocessing(plain, preprocessor.spec) });
    const pictures = [1, 2].map((seed) => Uint8Array.from({ length: 35 * channels }, (_, i) => (i * 31 * seed) % 256));
    const all = new Uint8Array(pictures.flatMap((each) => [...each]));
    const { y } = await run(bytes, 'pictures', all, [2, 5, 7, channels]);
    const expected: number[] = [];
    for (const data of pictures) {
      const tensor = await preprocessor.apply(tf.tensor3d([...data], [5, 7, channels]));
      expected.push(...tensor.dataSync());
    }
    expect(gap(y, expected)).toBeLessThan(1e-5);
  }
});
