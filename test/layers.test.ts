// Layers that tfjs lacks, against Keras 3 (golden/layers.py), with gradients, saved and loaded by tfjs alone.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, loadLayersModel, models, type LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerLayers } from '../src/layers.ts';
import golden from './golden/layers.json' with { type: 'json' };
import { expectNoLeak } from './support/tensors.ts';
import { wave } from './support/tinyModel.ts';

type Case = (typeof golden.layers)[number];

beforeAll(async () => {
  await tf.setBackend('cpu');
  registerLayers();
});

/** A model of one layer, in the form of Keras 2. */
function topology(className: string, config: object, shape: readonly number[], inputs = 1): object {
  const names = Array.from({ length: inputs }, (_, i) => `input_${String(i)}`);
  return {
    class_name: 'Model',
    config: {
      name: 'one',
      layers: [
        ...names.map((name) => ({
          name,
          class_name: 'InputLayer',
          config: { name, batch_input_shape: [null, ...shape.slice(1)], dtype: 'float32' },
          inbound_nodes: [],
        })),
        {
          name: 'it',
          class_name: className,
          config: { ...config, name: 'it' },
          inbound_nodes: [names.map((name) => [name, 0, 0, {}])],
        },
      ],
      input_layers: names.map((name) => [name, 0, 0]),
      output_layers: [['it', 0, 0]],
    },
  };
}

/** The model of a case with the weights that the golden file was made with. */
async function build({ className, config, shape, weights }: Case): Promise<LayersModel> {
  const model = await models.modelFromJSON({
    modelTopology: topology(className, config, shape, className === 'CustomScaleLayer' ? 2 : 1),
  } as never);
  weights.forEach((name, i) => {
    const weight = model.weights.find(({ originalName }) => originalName === `it/${name}`);
    const sizes = (weight?.shape ?? []).map(Number);
    const around = name === 'variance' || name === 'gamma' ? 1 : 0;
    tf.tidy(() => {
      weight?.write(name === 'count' ? tf.scalar(3, 'int32') : wave(sizes, 0.5, i + 0.3, around));
    });
  });
  return model;
}

function inputsOf({ className, shape }: Case): tf.Tensor | tf.Tensor[] {
  const x = wave(shape, 1.5, 0.2);
  return className === 'CustomScaleLayer' ? [x, wave(shape, 1, 0.9)] : x;
}

function predict(model: LayersModel, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return model.predict(inputs) as tf.Tensor;
}

/** The largest difference, in units of what a float can tell apart at that size. */
function difference(found: ArrayLike<number>, expected: readonly number[]): number {
  return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN)) / Math.max(1, Math.abs(value))));
}

describe.each(golden.layers.map((each) => [`${each.className} ${each.case}`.trim(), each] as const))(
  '%s',
  (_, each) => {
    test('computes the values of Keras, in the inferred shape', async () => {
      const model = await build(each);
      const output = predict(model, inputsOf(each));
      expect(output.shape).toEqual(each.outputShape);
      expect(model.outputs[0]?.shape.slice(1)).toEqual(each.outputShape.slice(1));
      expect(difference(output.dataSync(), each.output)).toBeLessThan(2e-6);
      expect(model.weights.map(({ originalName }) => originalName.slice(3)).sort()).toEqual([...each.weights].sort());
      model.dispose();
    });

    test('is the same model after tfjs has saved and loaded it', async () => {
      await expectNoLeak(async () => {
        const model = await build(each);
        let saved: tf.io.ModelArtifacts = {};
        await model.save(
          tf.io.withSaveHandler((artifacts) => {
            saved = JSON.parse(JSON.stringify(artifacts)) as tf.io.ModelArtifacts;
            saved.weightData = artifacts.weightData ?? new ArrayBuffer(0);
            return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
          }),
        );
        const again = await loadLayersModel(tf.io.fromMemory(saved));
        const inputs = inputsOf(each);
        const [before, after] = [predict(model, inputs), predict(again, inputs)];
        expect([...after.dataSync()]).toEqual([...before.dataSync()]);
        tf.dispose([before, after, inputs]);
        model.dispose();
        again.dispose();
      });
    });

    test('has exact gradients', async () => {
      const model = await build(each);
      const layer = model.getLayer('it');
      const [x, ...others] = [inputsOf(each)].flat();
      const upstream = wave(each.outputShape, 1, 0.4);
      const loss = (value: tf.Tensor): tf.Scalar =>
        tf.sum(tf.mul(layer.apply(others.length > 0 ? [value, ...others] : value) as tf.Tensor, upstream));
      if (x === undefined) throw new Error('no input');
      expect(gradientError(loss, x)).toBeLessThan(2e-2);
      for (const weight of layer.trainableWeights) {
        const variable = variableOf(weight.read());
        const value = variable.clone();
        const asFunction = (changed: tf.Tensor): tf.Scalar => {
          variable.assign(changed);
          return loss(x);
        };
        const { grads } = tf.variableGrads(() => loss(x), [variable]);
        expect(numericError(asFunction, value, grads[variable.name] ?? tf.scalar(0))).toBeLessThan(2e-2);
        variable.assign(value);
      }
      model.dispose();
    });
  },
);

function variableOf(tensor: tf.Tensor): tf.Variable {
  if (isVariable(tensor)) return tensor;
  throw new TypeError('no variable');
}

function isVariable(tensor: tf.Tensor): tensor is tf.Variable {
  return tensor instanceof tf.Variable;
}

function gradientError(f: (x: tf.Tensor) => tf.Scalar, x: tf.Tensor): number {
  return numericError(f, x, tf.grad(f)(x));
}

/** The largest error of a gradient against central differences, at numbers spread over x. */
function numericError(f: (x: tf.Tensor) => tf.Scalar, x: tf.Tensor, gradient: tf.Tensor): number {
  const step = 1 / 1024;
  const values = x.dataSync();
  const slopes = gradient.dataSync();
  const indices = Array.from({ length: Math.min(12, x.size) }, (_, i) => Math.floor((i * x.size) / 12) % x.size);
  const at = (index: number, change: number): number =>
    tf.tidy(
      () =>
        f(
          tf.tensor(
            values.map((value, i) => (i === index ? value + change : value)),
            x.shape,
          ),
        ).dataSync()[0],
    ) ?? NaN;
  const errors = indices.map((index) => {
    const numeric = (at(index, step) - at(index, -step)) / (2 * step);
    return Math.abs(numeric - (slopes[index] ?? NaN)) / Math.max(1, Math.abs(numeric));
  });
  return Math.max(...errors);
}

describe('activations', () => {
  const points = (): tf.Tensor => tf.tensor2d(golden.points, [golden.points.length, 1]);
  const names = Object.entries(golden.activations);

  test.each(names)('ActivationOf %s is that of Keras 3', async (name, expected) => {
    const model = await models.modelFromJSON({
      modelTopology: topology('ActivationOf', { activation: name }, [1, 1]),
    } as never);
    const output = predict(model, points());
    expect(difference(output.dataSync(), expected)).toBeLessThan(2e-6);
    const json = model.toJSON(undefined, false) as { config: { layers: { config: object }[] } };
    expect(json.config.layers[1]?.config).toMatchObject({ activation: name });
    model.dispose();
  });

  test.each([
    'hard_silu',
    'celu',
    'exponential',
    'gelu_tanh',
    'leaky_relu',
    'log_sigmoid',
    'squareplus',
    'sparse_plus',
  ])('tfjs finds %s for its own layers, and in models that it saved', async (activation) => {
    const config = { units: 1, activation, kernel_initializer: { class_name: 'Ones', config: {} } };
    const model = await models.modelFromJSON({ modelTopology: topology('Dense', config, [1, 1]) } as never);
    const again = await models.modelFromJSON({ modelTopology: model.toJSON(undefined, false) });
    again.setWeights(model.getWeights());
    const expected = golden.activations[activation as keyof typeof golden.activations];
    for (const each of [model, again]) {
      expect(difference(predict(each, points()).dataSync(), expected)).toBeLessThan(2e-6);
    }
  });

  test.each(names.map(([name]) => name))('%s has its gradient', async (name) => {
    const model = await models.modelFromJSON({
      modelTopology: topology('ActivationOf', { activation: name }, [1, 4]),
    } as never);
    const layer = model.getLayer('it');
    // Away from the kinks.
    const x = tf.tensor2d([-7, -3.5, -1.7, -0.8, -0.3, 0.2, 0.35, 0.8, 1.4, 2.2, 4, 5], [3, 4]);
    expect(gradientError((value) => tf.sum(layer.apply(value) as tf.Tensor), x)).toBeLessThan(2e-2);
    model.dispose();
  });
});

describe('registerLayers', () => {
  test('returns the registered names, also the second time', () => {
    const names = registerLayers();
    expect(names.slice(0, 15)).toEqual([
      'ActivationOf',
      'AddConstant',
      'Attention',
      'CustomScaleLayer',
      'DilatedDepthwiseConv2D',
      'GlobalAveragePooling2DKeepDims',
      'GlobalMaxPooling2DKeepDims',
      'GroupedConv2D',
      'GroupNormalization',
      'GRUResetAfter',
      'HalfPixelResizing',
      'LayerScale',
      'MultiHeadAttention',
      'MultiplyConstant',
      'Normalization',
    ]);
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    const before = { ...classNameMap };
    expect(registerLayers()).toEqual(names);
    expect(classNameMap).toEqual(before);
    expect(names.filter((name) => !(name in classNameMap))).toEqual([]);
  });

  test('leaves a class of the user in its place', () => {
    class LayerScale extends layers.Layer {
      static readonly className = 'LayerScale';
    }
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    const ours = classNameMap.LayerScale;
    tf.serialization.registerClass(LayerScale);
    registerLayers();
    expect(classNameMap.LayerScale?.[0]).toBe(LayerScale);
    if (ours !== undefined) classNameMap.LayerScale = ours;
  });

  test('groups that do not divide the channels raise an error', async () => {
    const config = { filters: 6, groups: 3, kernel_size: 1 };
    await expect(
      models.modelFromJSON({ modelTopology: topology('GroupedConv2D', config, [1, 2, 2, 4]) } as never),
    ).rejects.toThrow('it: expected groups to divide channels and filters, got 4 channels and 6 filters in 3 groups');
  });
});
