// Initialisers of tfjs for weights that are replaced right after their layer is built. Large weights share one number
// until then, so that building a network takes no memory for them. All weights are counted, so that a file cannot
// request more than it holds.
import { engine, serialization, zeros, type DataType, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { describeShape, sizeOf } from '../../core/shapes.ts';
import { isAxis } from '../graphs/limits.ts';

const unset: Json = { class_name: 'TransferkitUnset', config: {} };
const blank: Json = { class_name: 'TransferkitBlank', config: {} };

/** Limit on the number of weight values of the network that is being built. */
let most = Infinity;
let taken = 0;

/**
 * Builds layers with a limit on the number of values in all of their weights.
 *
 * @param build - Builds synchronously. Its promise is only for the result.
 */
export function withMostWeights<Built>(numbers: number, build: () => Built): Built {
  most = numbers;
  taken = 0;
  try {
    return build();
  } finally {
    most = Infinity;
  }
}

function take(shape: readonly number[]): void {
  if (!shape.every(isAxis)) {
    const text = `expected weights whose axes have lengths from 1, got ${describeShape(shape)}. The model is damaged.`;
    throw new TransferKitError('NOT_A_MODEL', text, { shape });
  }
  taken += sizeOf(shape);
  if (taken <= most) return;
  const text =
    `expected a network whose weights are at most ${String(most)} numbers, which is what its file holds or ` +
    `maxParameters allows, got more, ${describeShape(shape)} in one of them. Export or fetch topology and weights ` +
    'together; for weights that are drawn raise maxParameters.';
  throw new TransferKitError('OUT_OF_RANGE', text, { most, shape });
}

/**
 * Registers the initialisers with tfjs. Their classes are created here, because at the top of a file they would stay in
 * every bundle.
 */
function registerInitialisers(): void {
  class Unset extends serialization.Serializable {
    static readonly className: string = 'TransferkitUnset';

    apply(shape: number[], dtype: DataType = 'float32'): Tensor {
      take(shape);
      const dataId = engine().backend.write(new Float32Array(1), [1], 'float32');
      return engine().makeTensorFromTensorInfo({ dataId, shape, dtype });
    }

    getConfig(): serialization.ConfigDict {
      return {};
    }
  }
  class Blank extends Unset {
    static override readonly className = 'TransferkitBlank';

    override apply(shape: number[], dtype: DataType = 'float32'): Tensor {
      take(shape);
      return zeros(shape, dtype);
    }
  }
  serialization.registerClass(Unset);
  serialization.registerClass(Blank);
}

/** Settings for the initialisers of large weights, by layer class. tfjs does not use these values while it builds. */
const large: Readonly<Record<string, readonly string[]>> = {
  Conv1D: ['kernel_initializer'],
  Conv2D: ['kernel_initializer'],
  Conv2DTranspose: ['kernel_initializer'],
  Conv3D: ['kernel_initializer'],
  Dense: ['kernel_initializer'],
  DepthwiseConv2D: ['depthwise_initializer'],
  // tfjs's default initialiser computes a matrix.
  GRU: ['recurrent_initializer'],
  LSTM: ['recurrent_initializer'],
  SimpleRNN: ['recurrent_initializer'],
  SeparableConv2D: ['depthwise_initializer', 'pointwise_initializer'],
};

/** Settings of tfjs's layers that name an initialiser. If one is missing, tfjs draws the values. */
const settings = [
  ...['kernel', 'bias', 'recurrent', 'depthwise', 'pointwise', 'embeddings', 'alpha'],
  ...['gamma', 'beta', 'moving_mean', 'moving_variance'],
].map((weight) => `${weight}_initializer`);

const recurrent = /^(ConvLSTM2D|GRU|LSTM|SimpleRNN)(Cell)?$/;

/** The configuration of a layer with cheap initialisers, also for the layers inside it. */
export function withoutChance(layerClass: string, config: JsonObject): JsonObject {
  registerInitialisers();
  const plain = (key: string, value: Json): Json => {
    if (key.endsWith('_initializer') && value !== null) return blank;
    if (Array.isArray(value)) return value.map((each) => plain(key, each));
    if (typeof value !== 'object' || value === null) return value;
    const { class_name: inner, config: own } = value;
    const isLayer = typeof inner === 'string' && typeof own === 'object' && own !== null && !Array.isArray(own);
    return isLayer && /layer$|^cells?$/.test(key)
      ? { ...value, config: withoutChance(inner, own) }
      : Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(name, each)]));
  };
  const kept = Object.entries(config).map(([key, value]) => [key, plain(key, value)] as const);
  // tfjs refuses kernel settings for a SeparableConv2D, which has two kernels.
  const known = settings.filter((key) => layerClass !== 'SeparableConv2D' || key !== 'kernel_initializer');
  const initialisers = known.map((key) => [key, large[layerClass]?.includes(key) === true ? unset : blank] as const);
  // Cells of tfjs keep the masks of their dropout, which is off here.
  const dropouts = recurrent.test(layerClass)
    ? ([
        ['dropout', 0],
        ['recurrent_dropout', 0],
      ] as const)
    : [];
  return Object.fromEntries([...kept, ...initialisers, ...dropouts]);
}
