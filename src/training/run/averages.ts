// Exponential moving averages of weights.
import { add, clone, dispose, keep, mul, scalar, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { TrunkWeight } from '../../core/types.ts';
import { assertOneOf, assertShare, invalidOption, isObject } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { takeSnapshot } from './snapshot.ts';

/**
 * Keeps averages of the weights beside them: `average = decay · average + (1 - decay) · weight` after every step, beginning
 * with what a weight is after its first step, as Keras's `use_ema` does (Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992).
 */
export interface AveragingOptions {
  /** 0 … below 1. Default 0.99, as in Keras: about the last hundred steps. */
  readonly decay?: number;
  /**
   * What the model has at the end: the averages (default) or the weights that were trained. Validation, and with it the best
   * epoch and early stopping, judges the averages in either case.
   */
  readonly keep?: 'averages' | 'weights';
}

/** The same with every value settled. */
export type SettledAveraging = Required<AveragingOptions>;

/**
 * Fills in defaults and checks values.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleAveraging(
  verb: string,
  ema: boolean | AveragingOptions | undefined = false,
): SettledAveraging | undefined {
  if (ema === false) return undefined;
  if (ema !== true && !isObject(ema)) throw invalidOption(verb, 'ema to be true, false or { decay, keep }', ema);
  if (ema !== true) assertOptions(verb, ema, { decay: true, keep: true }, { of: 'ema' });
  const { decay = 0.99, keep: kept = 'averages' } = ema === true ? {} : ema;
  assertShare(verb, 'ema.decay', decay);
  assertOneOf(verb, 'ema.keep', kept, ['averages', 'weights']);
  return { decay, keep: kept };
}

/** The averages of a run, by weight. */
export class Averages {
  private readonly values = new Map<TrunkWeight, Tensor>();

  constructor(private readonly decay: number) {}

  /** Begins to follow weights from what they are now; those followed already go on. */
  follow(weights: readonly TrunkWeight[]): void {
    for (const weight of weights) {
      if (!this.values.has(weight)) this.values.set(weight, keep(clone(weight.variable)));
    }
  }

  /**
   * Moves the averages towards the weights.
   *
   * @param isFirst - Whether a weight has taken its first step: its average begins there.
   */
  update(isFirst: (weight: TrunkWeight) => boolean): void {
    for (const [weight, average] of this.values) {
      const share = isFirst(weight) ? 1 : 1 - this.decay;
      const moved = tidy(() =>
        share === 1 ? clone(weight.variable) : add(average, mul(sub(weight.variable, average), scalar(share))),
      );
      dispose(average);
      this.values.set(weight, moved);
    }
  }

  /** Puts the averages in the place of the weights. */
  write(): void {
    for (const [weight, average] of this.values) weight.write(average);
  }

  /** Runs something with the averages in the place of the weights. */
  async during<T>(run: () => T | Promise<T>): Promise<T> {
    const trained = takeSnapshot([...this.values.keys()]);
    try {
      this.write();
      return await run();
    } finally {
      trained.restore();
      trained.dispose();
    }
  }

  /** The averages by weight name; they stay this object's. */
  byName(): ReadonlyMap<string, Tensor> {
    return new Map([...this.values].map(([weight, average]) => [weight.name, average]));
  }

  /** Takes over averages that a run had before. */
  set(weight: TrunkWeight, average: Tensor): void {
    dispose(this.values.get(weight) ?? []);
    this.values.set(weight, average);
  }

  dispose(): void {
    dispose([...this.values.values()]);
    this.values.clear();
  }
}
