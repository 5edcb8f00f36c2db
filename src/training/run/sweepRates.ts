// Trains with a learning rate that rises from step to step, records the loss, and restores the model.
import { isTransferKitError } from '../../core/errors.ts';
import type { AnyModel } from '../../model/model.ts';
import { deriveSeed, permutation } from '../../core/random.ts';
import type { Samples } from '../../core/types.ts';
import { assertSamples } from '../../model/checkLabels.ts';
import type { Run } from '../state/plan.ts';
import { frozenPrefix } from '../../model/network.ts';
import { openRows, type PreparedRows } from './openRows.ts';
import { assertRate, assertShare, assertWhole, invalidOption } from '../../core/optionChecks.ts';
import { settleOptions, type TrainingOptions } from '../options/options.ts';
import { startPace } from '../../core/pace.ts';
import { minimumTenth, smooth, steepest, valley, type Sweep } from './rateSuggestions.ts';
import { settleRates } from '../options/rates.ts';
import { batchesOf } from '../../data/reading/readAhead.ts';
import { freeRows, readRows } from '../../features/readRows.ts';
import { segmentNow } from './segments.ts';
import { settleRun } from './settleRun.ts';
import { takeSnapshot } from '../state/snapshot.ts';
import { Totals } from '../../measure/totals.ts';
import { Trainer } from './trainer.ts';

/** Options of the range test. */
export interface SweepOptions extends Pick<
  TrainingOptions,
  'optimizer' | 'loss' | 'labelSmoothing' | 'classWeights' | 'batchSize' | 'cache' | 'seed' | 'signal' | 'onProgress'
> {
  /** First learning rate, above 0. Default 1e-7. */
  readonly from?: number;
  /** Last learning rate, above the first. Default 10. */
  readonly to?: number;
  /** Number of steps, with equal factors between their rates; from 10. Default 100. */
  readonly steps?: number;
  /** Share of earlier losses in the smoothed loss, from 0 to below 1. Default 0.9. */
  readonly smoothing?: number;
}

/** Result of a range test. */
export interface LearningRateCurve {
  /** Learning rate of each step, rising. */
  readonly learningRates: readonly number[];
  /** Loss of each step's batch. */
  readonly losses: readonly number[];
  /** Smoothed losses, from which the suggestions are computed. */
  readonly smoothedLosses: readonly number[];
  /** Suggested rates; try `valley` first. */
  readonly suggestions: {
    /** The middle of the longest fall of the loss: fastai's default. */
    readonly valley: number;
    /** The rate at which the loss falls fastest. */
    readonly steepest: number;
    /** A tenth of the rate with the smallest loss. */
    readonly minimumTenth: number;
  };
  /** `'diverged'`: the smoothed loss reached four times the smallest one, or a loss was not finite. */
  readonly stoppedBy: 'steps' | 'diverged' | 'signal';
}

/** Validated steps of the test. */
interface Steps {
  readonly count: number;
  readonly rateOf: (step: number) => number;
  readonly smoothing: number;
}

/** Tries learning rates on the unfrozen weights, and restores the weights. */
export async function sweepRates(model: AnyModel, samples: Samples, options: SweepOptions): Promise<LearningRateCurve> {
  const steps = settleSteps(options);
  const { from = 1e-7 } = options;
  const rising = (step: number) => steps.rateOf(step) / from;
  assertSamples(samples);
  const run = settleRun(model, {
    samples: { train: samples, validation: undefined },
    phase: model.base.trunk.weights.some(({ frozen }) => !frozen) ? 'fineTune' : 'head',
    segments: [segmentNow(0, [...model.base.trunk.weights, ...model.head.trunk.weights])],
    rates: settleRates(from),
    options: settleOptions({ ...options, epochs: 1, schedule: rising }, { base: model.base, validated: false }),
    startedAt: performance.now(),
  });
  const { trained } = model.head;
  const { trainable, statistics } = run.segments[0] ?? { trainable: [], statistics: [] };
  const moving = [...trainable, ...statistics];
  const before = takeSnapshot(moving);
  const rows = await openRows(run, frozenPrefix(model, moving)).catch((error: unknown) => {
    before.dispose();
    throw error;
  });
  try {
    return await tryRates(run, rows, steps);
  } finally {
    before.restore();
    before.dispose();
    model.head.trained = trained;
    await rows.dispose();
  }
}

function settleSteps({ from = 1e-7, to = 10, steps = 100, smoothing = 0.9 }: SweepOptions): Steps {
  assertRate('from', from);
  assertRate('to', to);
  assertWhole('steps', steps, 10);
  assertShare('smoothing', smoothing);
  if (to <= from) throw invalidOption(`to above from (${String(from)})`, to);
  return { count: steps, smoothing, rateOf: (step) => from * (to / from) ** (step / (steps - 1)) };
}

async function tryRates(run: Run, rows: PreparedRows, steps: Steps): Promise<LearningRateCurve> {
  const trainer = new Trainer(run);
  const losses: number[] = [];
  try {
    const stoppedBy = await takeSteps(run, rows, trainer, steps, losses);
    const learningRates = losses.map((_, step) => steps.rateOf(step));
    const smoothedLosses = smooth(losses, steps.smoothing);
    const sweep = readable(learningRates, smoothedLosses, steps.count);
    const suggestions = { valley: valley(sweep), steepest: steepest(sweep), minimumTenth: minimumTenth(sweep) };
    return { learningRates, losses, smoothedLosses, suggestions, stoppedBy };
  } finally {
    trainer.dispose();
  }
}

/**
 * The part of a curve that is used for suggestions: after the smoothing has converged, and before the loss explodes. As
 * in fastai, the first tenth of the requested steps and the last five are left out. If a curve ended before twice that
 * tenth, its first half is left out, because fastai's rule leaves little or nothing of it.
 */
export function readable(learningRates: readonly number[], losses: readonly number[], asked: number): Sweep {
  const start = Math.min(Math.floor(asked / 10), Math.floor(losses.length / 2));
  const end = losses.length > 20 ? -5 : undefined;
  return { learningRates: learningRates.slice(start, end), losses: losses.slice(start, end) };
}

/** Takes steps with rising rates over as many epochs as needed; appends the loss of each step. */
async function takeSteps(
  run: Run,
  { train }: PreparedRows,
  trainer: Trainer,
  { count, smoothing }: Steps,
  losses: number[],
): Promise<LearningRateCurve['stoppedBy']> {
  if (train === undefined) return 'signal';
  const { batchSize, seed, signal, onProgress } = run.options;
  trainer.begin({ trainable: [], statistics: [], ...run.segments[0], train });
  const pace = await startPace(run.phase, count, onProgress);
  for (let epoch = 0; losses.length < count; epoch++) {
    const order = permutation(train.size, deriveSeed(seed, epoch));
    for await (const rows of readRows(train, batchesOf(order, batchSize), epoch)) {
      if (signal?.aborted === true || rows === undefined) {
        freeRows(rows);
        if (rows === undefined) continue;
        return 'signal';
      }
      const totals = new Totals(run.model.head.parts);
      try {
        await trainer.step(rows, { epoch, entry: train.entry, seed: deriveSeed(seed, epoch, losses.length) }, totals);
      } catch (error) {
        if (isTransferKitError(error) && error.code === 'LOSS_NOT_FINITE') return 'diverged';
        throw error;
      } finally {
        freeRows(rows);
      }
      losses.push(totals.figures().loss);
      await pace.advance(1);
      if (hasDiverged(smooth(losses, smoothing))) return 'diverged';
      if (losses.length === count) break;
    }
  }
  return 'steps';
}

function hasDiverged(smoothed: readonly number[]): boolean {
  const least = Math.min(...smoothed);
  return smoothed.length > 10 && (smoothed.at(-1) ?? 0) > 4 * least;
}
