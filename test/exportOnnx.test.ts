// ONNX files of exportModel, as their bytes say: names, metadata, weights in each precision, preprocessing as nodes. ONNX
// Runtime itself runs them in test/engines/exportOnnx.test.ts.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  exportModel,
  loadBase,
  replaceHead,
  useBackend,
  type AnyModel,
  type ExportedModel,
  type ExportOptions,
} from '../src/index.ts';
import { decodeHalf } from '../src/core/float16.ts';
import { floatsOf, readOnnx, type ReadConstant } from './support/readOnnx.ts';
import { expectNoLeak } from './support/tensors.ts';
import { tinyGraph } from './support/tinyGraph.ts';
import { tinySamples, tinyTransfer } from './support/tinyTask.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-onnx-'));
let places = 0;
const place = () => join(root, `model-${String(places++)}.onnx`);

beforeAll(async () => {
  await useBackend('wasm');
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const types = { float32: 1, uint8: 2, int8: 3, float16: 10 };

async function written(model: AnyModel, options: Omit<ExportOptions, 'format'> = {}) {
  const file = place();
  const report: ExportedModel = await expectNoLeak(() => exportModel(model, file, { format: 'onnx', ...options }));
  return { report, ...readOnnx(new Uint8Array(readFileSync(file))) };
}

const onGraph = async (options: object = { labels: ['a', 'b'] }, preprocess: object | string = 'unit') =>
  replaceHead(await loadBase(tinyGraph(), { preprocess: preprocess as 'unit' }), options as { labels: string[] });

describe('an ONNX file', () => {
  test('has the outputs of the model by their names, and a free batch axis', async () => {
    using one = await tinyTransfer();
    const { inputs, outputs, opset, report } = await written(one);
    expect(opset).toEqual([17]);
    expect(inputs).toEqual([{ name: 'picture', type: types.float32, shape: ['batch', 16, 16, 3] }]);
    expect(outputs).toEqual([{ name: 'probabilities', type: types.float32, shape: ['batch', 3] }]);
    expect(report).toMatchObject({ format: 'onnx' });
    using several = await onGraph({
      heads: { kind: { labels: ['a', 'b'] }, size: { task: 'regression', outputs: ['x'] } },
    });
    expect((await written(several)).outputs.map(({ name }) => name)).toEqual(['kind', 'size']);
    using numbers = await onGraph({ task: 'regression', outputs: ['x', 'y'] });
    expect((await written(numbers)).outputs.map(({ name }) => name)).toEqual(['values']);
  });

  test('keeps labels of any characters, task and preprocessing as JSON', async () => {
    const odd = ['a,b', 'line\nbreak\r', '"quotes" \\', '😀 é', 'NUL \0 \u2028', '\ud800'];
    using model = await onGraph({ labels: odd });
    const { metadata } = await written(model);
    const facts = Object.fromEntries(Object.entries(metadata).map(([key, text]) => [key, JSON.parse(text) as unknown]));
    expect(facts).toEqual({
      labels: odd,
      task: 'classes',
      preprocessing: model.base.preprocessor.spec,
      preprocessingIncluded: false,
    });
    const [part] = model.head.parts;
    if (part !== undefined) part.thresholds = [0.3];
    expect((await written(model)).metadata.thresholds).toBe('[0.3]');
    using several = await onGraph({ heads: { kind: { labels: odd } } });
    const { labels, task } = (await written(several)).metadata;
    expect([JSON.parse(labels ?? ''), JSON.parse(task ?? '')]).toEqual([{ kind: odd }, { kind: 'classes' }]);
  });
});

/** Constants by name. */
function byName(constants: readonly ReadConstant[]): Map<string, ReadConstant> {
  return new Map(constants.map((each) => [each.name, each]));
}

describe('smaller weights', () => {
  test('float16: halves, and a node that makes float32 of them under the same name', async () => {
    using model = await tinyTransfer();
    const [single, half] = [await written(model), await written(model, { quantize: 'float16' })];
    expect(half.report.weightBytes).toBeLessThan(0.52 * single.report.weightBytes);
    const halves = byName(half.constants);
    for (const constant of single.constants.filter(({ type, bytes }) => type === types.float32 && bytes.length > 4)) {
      const stored = halves.get(`${constant.name}/half`);
      expect(stored).toMatchObject({ type: types.float16, shape: constant.shape });
      const values = new Float32Array(constant.bytes.length / 4);
      decodeHalf(new Uint16Array((stored?.bytes ?? new Uint8Array()).slice().buffer), values);
      const expected = floatsOf(constant);
      expect(Math.max(...expected.map((value, i) => Math.abs(value - (values[i] ?? NaN))))).toBeLessThan(2e-3);
      const cast = half.nodes.find(({ outputs }) => outputs[0] === constant.name);
      expect(cast).toMatchObject({ op: 'Cast', inputs: [`${constant.name}/half`], attributes: { to: types.float32 } });
    }
  });

  test('uint8: kernels as whole numbers with a scale for each output channel', async () => {
    for (const model of [await tinyTransfer(), await onGraph()]) {
      const [single, whole] = [await written(model), await written(model, { quantize: 'uint8' })];
      const stored = byName(whole.constants);
      const kernels = whole.nodes.filter(({ op }) => op === 'DequantizeLinear');
      // Every convolution and product has one; the nodes that read them are as before.
      const readers = ({ nodes }: typeof single) => nodes.filter(({ op }) => /^(Conv|Gemm|MatMul)$/.test(op));
      expect(kernels).toHaveLength(readers(single).length);
      expect(readers(whole)).toEqual(readers(single));
      for (const { inputs, outputs, attributes } of kernels) {
        const [values, scales] = inputs.map((name) => stored.get(name));
        const name = outputs[0] ?? '';
        const original = byName(single.constants).get(name);
        if (values === undefined || scales === undefined || original === undefined) throw new RangeError(name);
        const axis = Number(attributes.axis);
        expect([values.type, values.shape]).toEqual([types.int8, original.shape]);
        expect(scales.shape).toEqual([values.shape[axis]]);
        const inner = values.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        const steps = floatsOf(scales);
        const numbers = new Int8Array(values.bytes.slice().buffer);
        floatsOf(original).forEach((value, at) => {
          const step = steps[Math.floor(at / inner) % steps.length] ?? NaN;
          expect(Math.abs(value - (numbers[at] ?? NaN) * step)).toBeLessThanOrEqual(step * 0.5001);
        });
        expect(Math.max(...numbers.map(Math.abs))).toBe(127);
      }
      model.dispose();
    }
  });

  test('weights of a common network take a 3.8th', async () => {
    const base = await loadBase('densenet121', { weights: null, seed: 1, inputSize: 32 });
    using model = replaceHead(base, { labels: ['a', 'b'] });
    const sizes: number[] = [];
    for (const quantize of [undefined, 'uint8'] as const) {
      const options = { format: 'onnx', ...(quantize && { quantize }) } as const;
      sizes.push((await exportModel(model, { write: () => undefined }, options)).weightBytes);
    }
    expect((sizes[0] ?? 0) / (sizes[1] ?? 1)).toBeGreaterThan(3.8);
  });

  test('figures before and after', async () => {
    using model = await tinyTransfer();
    const { report } = await written(model, { quantize: 'uint8', samples: tinySamples(4) });
    const { before, after } = report.figures ?? {};
    expect(before?.accuracy).toBeTypeOf('number');
    expect(after?.loss).not.toBe(before?.loss);
    expect(Math.abs((after?.loss ?? NaN) / (before?.loss ?? NaN) - 1)).toBeLessThan(0.05);
  });
});

describe('preprocessing in the model', () => {
  test('takes bytes of pictures of any size; the metadata says so', async () => {
    using model = await onGraph();
    const { inputs, nodes, metadata } = await written(model, { includePreprocessing: true });
    expect(inputs).toEqual([{ name: 'pictures', type: types.uint8, shape: ['batch', 'pictures_1', 'pictures_2', 3] }]);
    expect(nodes.some(({ outputs }) => outputs[0] === 'images')).toBe(true);
    expect(metadata.preprocessingIncluded).toBe('true');
  });

  test('is refused for other inputs than pictures, and for other formats', async () => {
    using model = await onGraph({ labels: ['a', 'b'] }, { kind: 'tensor' });
    await expectRefusal(
      model,
      { format: 'onnx', includePreprocessing: true },
      'INVALID_OPTION',
      /of the kind 'tensor'/,
    );
    await expectRefusal(model, { format: 'keras', includePreprocessing: true }, 'INVALID_OPTION', /with 'keras'/);
    const wrong = { format: 'onnx', includePreprocessing: 'yes' } as unknown as ExportOptions;
    await expectRefusal(model, wrong, 'INVALID_OPTION', /true or false, got 'yes'/);
  });
});

async function expectRefusal(model: AnyModel, options: ExportOptions, code: string, text: RegExp): Promise<void> {
  const file = join(root, 'never.onnx');
  await expectNoLeak(async () => {
    const error = { code, message: expect.stringMatching(text) as unknown };
    await expect(exportModel(model, file, options)).rejects.toMatchObject(error);
  });
  expect(existsSync(file)).toBe(false);
}

describe('is refused', () => {
  test('with the layers that no node expresses', async () => {
    const head = sequential({
      layers: [
        layers.conv2dTranspose({ inputShape: [4, 4, 12], filters: 3, kernelSize: 2, name: 'wider' }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3 }),
      ],
    });
    using model = await tinyTransfer({ model: head });
    await expectRefusal(model, { format: 'onnx' }, 'UNSUPPORTED_LAYER', /'wider'/);
  });

  test('for weights that are not finite, or too large for halves', async () => {
    using model = await tinyTransfer();
    const [weight] = model.head.trunk.weights;
    const set = (value: number) => {
      tf.tidy(() => weight?.variable.assign(tf.fill(weight.variable.shape, value)));
    };
    set(NaN);
    for (const quantize of ['float16', 'uint8'] as const) {
      await expectRefusal(model, { format: 'onnx', quantize }, 'NOT_FINITE', /NaN in/);
    }
    set(1e5);
    await expectRefusal(model, { format: 'onnx', quantize: 'float16' }, 'OUT_OF_RANGE', /65504/);
  });
});
