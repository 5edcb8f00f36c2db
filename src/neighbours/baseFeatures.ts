// The features of a base, pooled as in a linear head. Classifiers that keep examples compare them.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import { assertBaseAlive } from '../model/assertAlive.ts';
import { TransferKitError } from '../core/errors.ts';
import type { Base } from '../model/model.ts';
import { describeShape } from '../core/shapes.ts';
import type { Shape } from '../core/types.ts';
import { inSlices } from '../features/inSlices.ts';
import { pooledValues, type FeaturePooling } from '../features/poolFeatures.ts';

/** A base prepared for computing features, with the weights that it had when it was opened. */
export interface BaseFeatures {
  readonly base: Base;
  /** Undefined for features without axes to pool over. */
  readonly pooling: FeaturePooling | undefined;
  /** Number of values of one example. */
  readonly width: number;
  /**
   * Computes the features of inputs [b, …], and disposes of the inputs.
   *
   * @param names - Names of the inputs in error texts.
   * @throws TransferKitError `NOT_FINITE`, `DISPOSED`.
   */
  read(input: Tensor, names: readonly string[]): Promise<Float32Array[]>;
  /** Frees the prepared memory. The base stays. */
  dispose(): void;
}

/**
 * Prepares a base.
 *
 * @throws TransferKitError `INVALID_OPTION` for a pooling that does not fit the features, `UNSUPPORTED_SOURCE` for
 * features that cannot be compared, `DISPOSED`.
 */
export async function openFeatures(base: Base, wanted?: FeaturePooling): Promise<BaseFeatures> {
  assertBaseAlive(base);
  const pooling = settlePooling(base, wanted);
  const width = widthOf(base.trunk.output.shape, pooling);
  const folded = await base.trunk.fold();
  return {
    base,
    pooling,
    width,
    async read(input, names) {
      const map = await inSlices(base, input, (part) => {
        assertBaseAlive(base);
        return folded.run(part);
      });
      try {
        return rowsOf(await pooledValues(map, pooling ?? 'average'), names);
      } finally {
        dispose(map);
      }
    },
    dispose: () => {
      folded.dispose();
    },
  };
}

/** Cuts values into separate rows. */
export function rowsOf(values: Float32Array, names: readonly string[]): Float32Array[] {
  const width = values.length / names.length;
  return names.map((name, row) => {
    const own = values.slice(row * width, (row + 1) * width);
    if (own.every(Number.isFinite)) return own;
    const text = `expected finite features, got NaN or infinity for ${name}. Check that example and its preprocessing.`;
    throw new TransferKitError('NOT_FINITE', text, { id: name });
  });
}

/** The pooling of a linear head: the average by default; none for vectors. */
export function settlePooling({ name, trunk }: Base, wanted?: FeaturePooling): FeaturePooling | undefined {
  const { shape, dtype } = trunk.output;
  if (dtype !== 'float32' || shape.length < 2) {
    const text =
      `expected a base that gives float32 features for each example, got ${dtype} ${describeShape(shape)} from ` +
      `'${name}'. Use another cut.`;
    throw new TransferKitError('UNSUPPORTED_SOURCE', text, { dtype, shape });
  }
  if (shape.length > 2) return wanted ?? 'average';
  if (wanted === undefined) return undefined;
  const text = `expected no pooling for features of shape ${describeShape(shape)}, got '${wanted}'.`;
  throw new TransferKitError('INVALID_OPTION', text, { pooling: wanted, features: shape });
}

function widthOf(shape: Shape, pooling: FeaturePooling | undefined): number {
  const counted = pooling === 'flatten' ? shape.slice(1) : shape.slice(-1);
  const width = counted.reduce<number>((size, axis) => size * (axis ?? NaN), pooling === 'both' ? 2 : 1);
  if (!Number.isNaN(width)) return width;
  const text = `expected features of a fixed size, got ${describeShape(shape)}. Give loadBase an inputSize, or pool them.`;
  throw new TransferKitError('INVALID_OPTION', text, { pooling, features: shape });
}
