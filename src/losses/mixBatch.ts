// Mixup and CutMix: a batch is mixed with itself in reverse order, with one share per batch, as in timm's `Mixup` in
// batch mode.
import {
  add,
  clone,
  concat,
  divNoNan,
  expandDims,
  mul,
  reverse,
  scalar,
  slice,
  sub,
  tensor4d,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { randomGenerator } from '../core/random.ts';
import { describeShape } from '../core/shapes.ts';
import { tasks, type TaskName } from '../model/tasks/tasks.ts';
import { drawBeta } from './betaDistribution.ts';
import { invalidOption } from '../core/optionChecks.ts';

/** Options of training for mixing batches. */
export interface MixOptions {
  /** Alpha of mixup's Beta distribution, above 0. */
  readonly mixup?: number | undefined;
  /** Alpha of CutMix's Beta distribution, above 0. */
  readonly cutMix?: number | undefined;
}

/** Settings for mixing batches. */
export interface SettledMix {
  readonly mixup: number | undefined;
  readonly cutMix: number | undefined;
}

/** A batch of examples. */
export interface Mixed {
  /** [b, …]: the inputs of training; with a frozen prefix these are its cached features. */
  readonly input: Tensor;
  /** [b, units] */
  readonly targets: Tensor;
  /** [b] */
  readonly weights: Tensor;
}

/** Columns of the targets that belong to a task. */
interface MixedPart {
  readonly task: TaskName;
  readonly from: number;
  /** End of the columns, exclusive. */
  readonly to: number;
}

/** Verb, heads and options that mixing needs. */
export interface Mixable extends Mixed {
  readonly parts: readonly MixedPart[];
}

/**
 * Validates the options. Returns undefined if nothing is mixed.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleMix({ mixup, cutMix }: MixOptions): SettledMix | undefined {
  for (const [name, alpha] of Object.entries({ mixup, cutMix })) {
    if (alpha === undefined || (Number.isFinite(alpha) && alpha > 0)) continue;
    throw invalidOption(`${name} to be the alpha of a Beta distribution, a finite number above 0`, alpha);
  }
  return mixup === undefined && cutMix === undefined ? undefined : { mixup, cutMix };
}

/**
 * Mixes a batch with itself in reverse order. If both kinds of mixing are on, one of them is drawn for each batch, with
 * equal probability.
 *
 * Mixup blends inputs: `λ x + (1 - λ) x'`, λ drawn from Beta(alpha, alpha). If the inputs are features of a frozen
 * prefix, this is manifold mixup at that layer. CutMix copies one rectangle of every x' into x; λ is the share of x
 * that is left. Targets and weights are blended by λ. Targets that are shares of labels are weighted with their
 * examples, so that a loss which is linear in the targets becomes the blend of both examples' weighted losses.
 *
 * Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018. Verma et al., "Manifold Mixup", 2019. Yun et al.,
 * "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", 2019.
 *
 * @returns New tensors.
 * @throws TransferKitError `INVALID_OPTION` for CutMix on inputs that are no pictures or feature maps [b, h, w, c], and
 * for inputs that are not float32.
 */
export function mixBatch(mix: SettledMix, batch: Mixable, seed: number): Mixed {
  const { mixup, cutMix } = mix;
  const { input } = batch;
  const random = randomGenerator(seed);
  const cuts = mixup === undefined || (cutMix !== undefined && random() < 0.5);
  const share = drawBeta((cuts ? cutMix : mixup) ?? 1, random);
  if (input.dtype !== 'float32') throw notBlendable(input.dtype);
  if (!cuts) return blend(batch, () => blendBy(share, input), share);
  const [, height, width, channels, ...rest] = input.shape;
  if (height === undefined || width === undefined || channels === undefined || rest.length > 0) {
    throw notCuttable(input.shape);
  }
  const box = drawBox(height, width, 1 - share, random);
  const cut = box.height * box.width;
  return blend(batch, () => paste(input, box), 1 - cut / (height * width));
}

function blend({ targets, weights, parts }: Mixable, inputs: () => Tensor, share: number): Mixed {
  return tidy(() => {
    const mixedWeights = blendBy(share, weights);
    const perExample = expandDims(weights, 1);
    const blended = parts.map(({ task, from, to }) => {
      const own = slice(targets, [0, from], [-1, to - from]);
      if (tasks[task].labelled === undefined) return blendBy(share, own);
      return divNoNan(blendBy(share, mul(own, perExample)), expandDims(mixedWeights, 1));
    });
    return { input: inputs(), targets: concat(blended, 1), weights: mixedWeights };
  });
}

/** `λ x + (1 - λ) x'`, where x' is x with its rows in reverse order. */
function blendBy(share: number, x: Tensor): Tensor {
  return add(mul(x, scalar(share)), mul(reverse(x, 0), scalar(1 - share)));
}

/** A rectangle in rows and columns. */
interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** A rectangle with a given share of the area, around a point drawn uniformly, clipped at the edges. As in timm. */
function drawBox(height: number, width: number, share: number, random: () => number): Box {
  const along = (length: number) => {
    const half = Math.floor(Math.floor(length * Math.sqrt(share)) / 2);
    const centre = Math.floor(random() * length);
    const start = Math.max(centre - half, 0);
    return { start, length: Math.min(centre + half, length) - start };
  };
  const [rows, columns] = [along(height), along(width)];
  return { top: rows.start, left: columns.start, height: rows.length, width: columns.length };
}

/** Pictures [b, h, w, c] with a rectangle from the pictures in reverse order. */
function paste(x: Tensor, { top, left, height, width }: Box): Tensor {
  const [, rows = 1, columns = 1] = x.shape;
  if (height * width === 0) return clone(x);
  const inside = new Float32Array(rows * columns);
  for (let row = top; row < top + height; row++) {
    inside.fill(1, row * columns + left, row * columns + left + width);
  }
  const mask = tensor4d(inside, [1, rows, columns, 1]);
  return add(mul(x, sub(scalar(1), mask)), mul(reverse(x, 0), mask));
}

function notBlendable(dtype: string): TransferKitError {
  const text = `expected inputs of type float32 to mix, got ${dtype}. Leave out mixup and cutMix.`;
  return new TransferKitError('INVALID_OPTION', text, { dtype });
}

function notCuttable(shape: readonly number[]): TransferKitError {
  const text =
    `expected pictures or feature maps [b, h, w, c] for cutMix, got ${describeShape(shape)}: what enters ` +
    'training. Use mixup, or unfreeze layers that take maps.';
  return new TransferKitError('INVALID_OPTION', text, { shape });
}
