// Linear interpolation between two values of the same weights, and the choice of its share. Wortsman et al., "Robust
// fine-tuning of zero-shot models", 2022, section 3 (WiSE-FT).
import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { BlendLog, BlendTrial } from '../../core/logs.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { cooledLoss } from '../../measure/cooledLoss.ts';
import type { Measurement } from '../../measure/measure.ts';
import type { HeadPart } from '../../model/model.ts';

/** Shares that validation compares. */
export const alphas = [0, 0.25, 0.5, 0.75, 1] as const;

/** The share without validation: the paper's advice. Of shares with the same loss, the nearest to it is chosen. */
const usual = 0.5;

type Values = Float32Array | Int32Array | Uint8Array;

/** A weight with two different values: the model has the one after training. */
export interface BlendEnds {
  readonly weight: TrunkWeight;
  readonly before: Values;
  readonly after: Values;
}

/** Reads the values of weights, and keeps those that differ. All reads begin at once. */
export async function readEnds(pairs: Iterable<readonly [TrunkWeight, Tensor]>): Promise<readonly BlendEnds[]> {
  const reads = Array.from(pairs, async ([weight, value]): Promise<BlendEnds> => {
    const [before, after] = await Promise.all([value.data(), weight.variable.data()]);
    return { weight, before, after };
  });
  return (await Promise.all(reads)).filter(({ before, after }) => !areSame(before, after));
}

/**
 * Writes a blend of the two ends into the model. After an error the model has the values after training.
 *
 * @param alpha - Share of the values after training. Undefined: that with the lowest loss at its best temperature, or the
 * usual one if nothing is measured or nothing differs.
 * @param measure - Measures the model on validation samples.
 */
export async function blendEnds(
  ends: readonly BlendEnds[],
  alpha: number | undefined,
  measure: (() => Promise<Measurement>) | undefined,
  parts: readonly HeadPart[],
): Promise<BlendLog> {
  const tried: BlendTrial[] = [];
  try {
    if (alpha === undefined && measure !== undefined && ends.length > 0) {
      for (const each of alphas) {
        writeBlend(ends, each);
        tried.push(trialOf(each, await measure(), parts));
      }
    }
    const chosen = alpha ?? bestOf(tried);
    writeBlend(ends, chosen);
    return { alpha: chosen, tried };
  } catch (error) {
    writeBlend(ends, 1);
    throw error;
  }
}

function trialOf(alpha: number, measured: Measurement, parts: readonly HeadPart[]): BlendTrial {
  const { loss, accuracy } = measured;
  return { alpha, loss, cooledLoss: cooledLoss(measured, parts), ...(accuracy === undefined ? {} : { accuracy }) };
}

/** The share with the lowest loss at its best temperature; then the nearest to the usual one, then the lower one. */
function bestOf(tried: readonly BlendTrial[]): number {
  const distance = ({ alpha }: BlendTrial) => Math.abs(alpha - usual);
  const [best] = tried
    .filter(({ cooledLoss: loss }) => Number.isFinite(loss))
    .sort((a, b) => a.cooledLoss - b.cooledLoss || distance(a) - distance(b) || a.alpha - b.alpha);
  return best?.alpha ?? usual;
}

/** Shares 0 and 1 give the exact values of an end; `write` would apply the layer's constraint a second time. */
function writeBlend(ends: readonly BlendEnds[], alpha: number): void {
  for (const { weight, before, after } of ends) {
    const values = alpha === 0 ? before : alpha === 1 ? after : mixed(before, after, alpha);
    const value = tensor(values, [...weight.shape]);
    if (alpha === 0 || alpha === 1) weight.variable.assign(value);
    else weight.write(value);
    value.dispose();
  }
}

/** In double precision, so that every backend gives the same values. */
function mixed(before: Values, after: Values, alpha: number): Float32Array {
  return Float32Array.from(after, (value, place) => (1 - alpha) * (before[place] ?? NaN) + alpha * value);
}

function areSame(a: Values, b: Values): boolean {
  for (let place = 0; place < b.length; place++) {
    if (!Object.is(a[place], b[place])) return false;
  }
  return true;
}
