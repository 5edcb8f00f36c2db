// GraphModels of many makes: each goes all the way (cut, head, fine-tuning, saving, plain tfjs), or is refused with the
// true reason.
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  fineTune,
  fromArrays,
  loadBase,
  predict,
  replaceHead,
  save,
  trainHead,
  useBackend,
  type LoadBaseOptions,
} from '../../src/index.ts';
import { expectNoLeak, raisedBy } from '../support/tensors.ts';
import {
  convolution,
  graphArtifacts,
  node,
  placeholder,
  text,
  tinyConstants,
  tinyLayers,
  tinyNodes,
  type Constant,
} from '../support/tinyGraph.ts';

// The graphs are made while tests are collected.
await useBackend('cpu');

/** Values by a formula, between -1 and 1. */
const waves = (size: number, phase: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase));

const float = { type: 'DT_FLOAT' };
const integer = { type: 'DT_INT32' };
const product = { T: float, transpose_a: { b: false }, transpose_b: { b: false } };
const mean = (keep: boolean) => ({ T: float, Tidx: integer, keep_dims: { b: keep } });
const fused = (...steps: string[]) => ({
  fused_ops: { list: { s: steps.map((step) => text(step).s) } },
  num_args: { i: '1' },
  epsilon: { f: 0 },
});

function weight(name: string, ...shape: number[]): Constant {
  const size = shape.reduce((a, b) => a * b, 1);
  return { name, shape, dtype: 'float32', values: waves(size, name.length).map((value) => value / 2) };
}

function setting(name: string, values: readonly number[], shape = [values.length]): Constant {
  return { name, shape, dtype: 'int32', values };
}

const images = placeholder([-1, 8, 8, 3]);
const conv = (name: string, input: string) => node(name, 'Conv2D', [input, `${name}/kernel`], convolution);
const pixels = setting('axes', [1, 2]);

type Parts = readonly [nodes: readonly object[], constants: readonly Constant[]];

/** A convolution, a pooling, a dense layer and a softmax, behind some nodes in front. */
function classifierBehind(input: string, channels = 3): Parts {
  return [
    [
      conv('conv', input),
      node('relu', 'Relu', ['conv']),
      node('pool', 'Mean', ['relu', 'axes'], mean(false)),
      node('logits', 'MatMul', ['pool', 'logits/kernel'], product),
      node('probabilities', 'Softmax', ['logits']),
    ],
    [weight('conv/kernel', 3, 3, channels, 4), pixels, weight('logits/kernel', 4, 3)],
  ];
}

function whole([nodes, constants]: Parts, front: readonly object[], more: readonly Constant[] = []): Parts {
  return [
    [...front, ...nodes],
    [...more, ...constants],
  ];
}

// prettier-ignore
const slicing = { T: float, Index: integer, begin_mask: { i: '9' }, end_mask: { i: '9' }, ellipsis_mask: { i: '0' }, new_axis_mask: { i: '0' }, shrink_axis_mask: { i: '0' } };

const complete: Readonly<Record<string, { readonly parts: Parts; readonly cut: string; readonly features: number[] }>> =
  {
    'StridedSlice in front, as a crop': {
      parts: whole(
        classifierBehind('crop'),
        [images, node('crop', 'StridedSlice', ['images', 'begin', 'end', 'step'], slicing)],
        [setting('begin', [0, 1, 1, 0]), setting('end', [0, 7, 7, 0]), setting('step', [1, 2, 1, 1])],
      ),
      cut: 'pool',
      features: [4],
    },
    'StridedSlice and DepthToSpace behind a kernel': {
      parts: whole(
        classifierBehind('part', 2),
        [
          images,
          conv('expand', 'images'),
          node('wide', 'DepthToSpace', ['expand'], { T: float, block_size: { i: '2' }, data_format: text('NHWC') }),
          node('part', 'StridedSlice', ['wide', 'begin', 'end', 'step'], slicing),
        ],
        [
          weight('expand/kernel', 3, 3, 3, 8),
          setting('begin', [0, 1, 2, 0]),
          setting('end', [0, 12, 12, 0]),
          setting('step', [1, 1, 2, 1]),
        ],
      ),
      cut: 'pool',
      features: [4],
    },
    'fused nodes, a mean that keeps its axes, a Reshape of it': {
      parts: [
        [
          images,
          // prettier-ignore
          node('conv', '_FusedConv2D', ['images', 'conv/kernel', 'conv/bias'], { ...convolution, ...fused('BiasAdd', 'Relu') }),
          node('pool', 'Mean', ['conv', 'axes'], mean(true)),
          node('flat', 'Reshape', ['pool', 'size'], { T: float, Tshape: integer }),
          node('logits', '_FusedMatMul', ['flat', 'logits/kernel', 'logits/bias'], { ...product, ...fused('BiasAdd') }),
          node('probabilities', 'Sigmoid', ['logits']),
        ],
        [
          weight('conv/kernel', 3, 3, 3, 4),
          weight('conv/bias', 4),
          pixels,
          setting('size', [-1, 4]),
          weight('logits/kernel', 4, 2),
          weight('logits/bias', 2),
        ],
      ],
      cut: 'flat',
      features: [4],
    },
    'convolution, ReLU, mean and softmax': {
      parts: [
        [
          images,
          conv('first', 'images'),
          conv('classes', 'first'),
          node('relu', 'Relu', ['classes']),
          node('pool', 'Mean', ['relu', 'axes'], mean(false)),
          node('probabilities', 'Softmax', ['pool']),
        ],
        [weight('first/kernel', 3, 3, 3, 4), weight('classes/kernel', 1, 1, 4, 5), pixels],
      ],
      cut: 'first',
      features: [8, 8, 4],
    },
    'a NoOp and the reader of a constant beside the classifier, as in frozen functions': {
      parts: whole(classifierBehind('images'), [
        images,
        node('NoOp', 'NoOp'),
        node('version', 'Identity', ['axes'], { T: integer }),
      ]),
      cut: 'pool',
      features: [4],
    },
    'a dilated convolution as SpaceToBatchND and BatchToSpaceND': {
      parts: whole(
        classifierBehind('joined', 2),
        [
          images,
          conv('narrow', 'images'),
          node('divided', 'SpaceToBatchND', ['narrow', 'block', 'paddings'], { T: float }),
          // prettier-ignore
          node('dilated', 'DepthwiseConv2dNative', ['divided', 'dilated/kernel'], { ...convolution, padding: text('VALID') }),
          node('joined', 'BatchToSpaceND', ['dilated', 'block', 'crops'], { T: float }),
        ],
        [
          weight('narrow/kernel', 3, 3, 3, 2),
          weight('dilated/kernel', 3, 3, 2, 1),
          setting('block', [2, 2]),
          setting('paddings', [2, 2, 2, 2], [2, 2]),
          setting('crops', [0, 0, 0, 0], [2, 2]),
        ],
      ),
      cut: 'pool',
      features: [4],
    },
    'a batch of one, declared by the input alone': {
      parts: whole(classifierBehind('images'), [placeholder([1, 8, 8, 3])]),
      cut: 'pool',
      features: [4],
    },
    'a batch of one written into a Reshape behind the cut': {
      parts: [
        [
          ...classifierBehind('images')[0].filter((each) => !('op' in each && each.op === 'Softmax')),
          images,
          node('one', 'Reshape', ['logits', 'one/shape'], { T: float, Tshape: integer }),
          node('probabilities', 'Softmax', ['one']),
        ],
        [...classifierBehind('images')[1], setting('one/shape', [1, 3])],
      ],
      cut: 'pool',
      features: [4],
    },
  };

const sourceOf = ([nodes, constants]: Parts) => {
  const artifacts = graphArtifacts(nodes, constants);
  return { load: () => Promise.resolve(artifacts) };
};

const inputs = Array.from({ length: 6 }, (_, i) => waves(192, i).map((value) => value + (i % 2)));
const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'dark' : 'bright')) });

/** Head, fine-tuning and saving; then plain tfjs must give the probabilities that we give. */
async function goAllTheWay(source: tf.io.IOHandler, options: LoadBaseOptions = {}): Promise<void> {
  await expectNoLeak(async () => {
    const model = replaceHead(await loadBase(source, options), { labels: ['bright', 'dark'] });
    await trainHead(model, samples, { epochs: 1, optimizer: 'adam' });
    const log = await fineTune(model, samples, { epochs: 1, batchSize: 3 });
    expect(log.parameters.trained).toBeGreaterThan(10);
    let saved: tf.io.ModelArtifacts = {};
    await save(model, {
      save: (artifacts) => {
        saved = artifacts;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
      },
    });
    const ours = await predict(model, inputs);
    model.dispose();
    const plain = await loadGraphModel({ load: () => Promise.resolve(saved) });
    const theirs = tf.tidy(() => {
      const x = tf.tensor(Float32Array.from(inputs.flatMap((each) => [...each])), [inputs.length, 8, 8, 3]);
      const output = plain.predict(x);
      // The logits are the first output.
      const logits = output instanceof tf.Tensor ? output : Object.values(output)[0];
      return logits === undefined ? [] : [...tf.softmax(logits).dataSync()];
    });
    plain.dispose();
    ours.forEach((found, i) => {
      const bright = found.find(({ label }) => label === 'bright')?.probability;
      expect(bright).toBeCloseTo(theirs[2 * i] ?? NaN, 5);
    });
  });
}

describe('all the way: cut, head, fine-tuning, saving, plain tfjs', () => {
  test.each(Object.entries(complete))('%s', async (_, { parts, cut, features }) => {
    const base = await loadBase(sourceOf(parts));
    expect([base.cut, base.trunk.output.shape]).toEqual([cut, [null, ...features]]);
    base.dispose();
    await goAllTheWay(sourceOf(parts));
  });

  test.each(['uint8', 'uint16', 'float16'] as const)('weights of %s', async (dtype) => {
    await goAllTheWay(quantised(whole(classifierBehind('images'), [images]), dtype));
  });

  test('a batch of one that only the input declares is freed, with a note', async () => {
    // prettier-ignore
    const base = await loadBase(sourceOf(whole(classifierBehind('images'), [placeholder([1, 8, 8, 3])])));
    expect([base.notes, base.trunk.input.shape]).toEqual([
      ["The input 'images' was fixed at one example at a time: it takes any number now."],
      [null, 8, 8, 3],
    ]);
    base.dispose();
  });
});

/** The float weights stored in fewer bits, as the converter does. */
function quantised(parts: Parts, dtype: 'uint8' | 'uint16' | 'float16'): tf.io.IOHandler {
  const { weightSpecs = [], weightData: _, ...rest } = graphArtifacts(...parts);
  const bytes = parts[1].map(({ dtype: type, values }) => {
    if (type === 'int32') return Buffer.from(Int32Array.from(values).buffer);
    const levels = Array.from(values, (_, i) => (dtype === 'float16' ? 0x3000 + 97 * (i % 7) : (i * 37) % 251));
    return Buffer.from((dtype === 'uint8' ? Uint8Array.from(levels) : Uint16Array.from(levels)).buffer);
  });
  const specs = weightSpecs.map((spec): tf.io.WeightsManifestEntry => {
    const steps = dtype === 'float16' ? { dtype } : { dtype, scale: 0.004, min: -0.5 };
    return spec.dtype === 'float32' ? { ...spec, quantization: steps } : spec;
  });
  const weightData = Uint8Array.from(Buffer.concat(bytes)).buffer;
  return { load: () => Promise.resolve({ ...rest, weightSpecs: specs, weightData }) };
}

describe('several outputs', () => {
  const source = tinyLayers();
  const tiny = tinyConstants(source);
  source.dispose();
  const graphs: Readonly<Record<string, { readonly parts: Parts; readonly first: string }>> = {
    'a classifier and a second reader of its features': {
      parts: [[...tinyNodes(), node('also', 'Relu', ['net/pool'])], tiny],
      first: 'net/pool',
    },
    'logits and probabilities': {
      parts: [[...tinyNodes(), node('logits', 'Identity', ['net/classifier/BiasAdd'])], tiny],
      first: 'net/pool',
    },
    'a middle map beside the classifier, and one that does not depend on the input': {
      parts: [
        [
          ...tinyNodes(),
          node('map', 'Identity', ['net/relu1']),
          node('constant', 'Identity', ['net/pool/axes'], { T: integer }),
        ],
        tiny,
      ],
      first: 'net/pool',
    },
    'boxes and classes': {
      parts: [
        // prettier-ignore
        [images, conv('body', 'images'), node('active', 'Relu', ['body']), conv('boxes', 'active'), conv('classes', 'active')],
        [weight('body/kernel', 3, 3, 3, 4), weight('boxes/kernel', 3, 3, 4, 4), weight('classes/kernel', 3, 3, 4, 2)],
      ],
      first: 'active',
    },
    'two values of one node': {
      parts: [
        [
          images,
          conv('body', 'images'),
          node('halves', 'Split', ['axis', 'body'], { T: float, num_split: { i: '2' } }),
          node('left', 'Relu', ['halves:0']),
          node('right', 'Relu', ['halves:1']),
        ],
        [weight('body/kernel', 3, 3, 3, 4), setting('axis', [3], [])],
      ],
      first: 'body',
    },
  };

  test.each(Object.entries(graphs))('%s: every candidate is a cut', async (_, { parts, first }) => {
    const error = await raisedBy(() => loadBase(sourceOf(parts)));
    expect(error).toMatchObject({ code: 'INVALID_OPTION' });
    const { message, details } = error as { message: string; details: { candidates: string[] } };
    expect(message).toContain(`the likeliest first: ${details.candidates.join(', ')}.`);
    expect(details.candidates[0]).toBe(first);
    for (const cut of details.candidates) {
      const base = await loadBase(sourceOf(parts), { cut });
      expect(base.cut).toBe(cut);
      base.dispose();
    }
    await goAllTheWay(sourceOf(parts), { cut: first });
  });
});

describe('refused with the correct reason', () => {
  const refused: readonly [what: string, parts: Parts, code: string, text: string, options?: LoadBaseOptions][] = [
    [
      'two inputs',
      whole(classifierBehind('both'), [
        images,
        placeholder([-1, 8, 8, 3], 'depth'),
        node('both', 'Add', ['images', 'depth']),
      ]),
      'UNSUPPORTED_SOURCE',
      "expected a graph with one input, got 2: 'images', 'depth'.",
    ],
    [
      'a cut where examples are divided',
      [
        [
          images,
          node('divided', 'SpaceToBatchND', ['images', 'block', 'paddings'], { T: float }),
          conv('conv', 'divided'),
        ],
        [weight('conv/kernel', 3, 3, 3, 4), setting('block', [2, 2]), setting('paddings', [0, 0, 0, 0], [2, 2])],
      ],
      'UNSUPPORTED_SOURCE',
      "up to 'conv', which lies between SpaceToBatchND and BatchToSpaceND",
    ],
    [
      'a batch of one written into a Reshape in front of the cut',
      [
        [
          images,
          conv('conv', 'images'),
          node('flat', 'Reshape', ['conv', 'size'], { T: float, Tshape: integer }),
          node('logits', 'MatMul', ['flat', 'logits/kernel'], product),
          node('probabilities', 'Softmax', ['logits']),
        ],
        [weight('conv/kernel', 3, 3, 3, 4), setting('size', [1, 256]), weight('logits/kernel', 256, 3)],
      ],
      'UNSUPPORTED_SOURCE',
      "Export it with a free batch axis, or cut before that node: cut: 'conv'.",
    ],
    [
      'a batch of one that swallows the others',
      [
        [
          images,
          conv('conv', 'images'),
          node('flat', 'Reshape', ['conv', 'size'], { T: float, Tshape: integer }),
          node('pool', 'Relu', ['flat']),
        ],
        [weight('conv/kernel', 3, 3, 3, 4), setting('size', [1, -1])],
      ],
      'UNSUPPORTED_SOURCE',
      "with a fixed batch axis: it gives [1, 512] at '",
    ],
  ];

  test.each(refused)('%s', async (_, parts, code, message, options = {}) => {
    const error = await raisedBy(() => loadBase(sourceOf(parts), options));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
  });
});
