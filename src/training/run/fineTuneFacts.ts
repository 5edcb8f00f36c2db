// The facts that the usual settings of fineTune depend on.
import { sizeOf } from '../../core/shapes.ts';
import type { TrainingLog } from '../../core/logs.ts';
import type { Samples, Trunk } from '../../core/types.ts';
import type { AnyModel } from '../../model/model.ts';
import { isMovable } from '../../model/network.ts';
import type { FineTuneOptions } from '../options/fineTuneOptions.ts';
import type { Effort, Facts } from '../options/usualSettings.ts';
import { settleOptimizer } from '../optimizers/optimizers.ts';

/** What is known before the facts. */
export interface Known {
  /** Examples to train on. */
  readonly train: Samples;
  readonly effort: Effort;
  /** Logs of the model's training before the run. */
  readonly history: readonly TrainingLog[];
  /** Whether a head that was never trained is solved for before the run, or trained by gradients. */
  readonly isSolvable: boolean;
  readonly validation: Facts['validation'];
}

/** Collects the facts. Values that are wrong are refused later, by `settleOptions`. */
export function factsOf(model: AnyModel, options: FineTuneOptions, known: Known): Facts {
  const { initialEpoch = 0, batchSize = 32, gradientAccumulationSteps = 1, optimizer = 'adam' } = options;
  const { trunk, preprocessor } = model.base;
  const { size } = known.train;
  return {
    effort: known.effort,
    examples: size,
    stepsPerEpoch: Math.ceil(Math.ceil(size / batchSize) / gradientAccumulationSteps),
    initialEpoch,
    arePictures: preprocessor.spec.kind === 'image',
    head: headState(model, options, known),
    base: baseState(model, options),
    costs: costsOf(trunk),
    optimizerRate: settleOptimizer(optimizer).defaultLearningRate,
    epochs: options.epochs,
    validation: known.validation,
    seeksBestEpoch: options.monitor !== undefined || (options.earlyStopping ?? false) !== false,
    movesStatistics: options.batchNorm !== undefined && options.batchNorm !== 'inference',
  };
}

function headState({ head }: AnyModel, { headEpochs }: FineTuneOptions, { history, isSolvable }: Known): Facts['head'] {
  const last = history.at(-1);
  if (last === undefined && !head.trained) {
    if (headEpochs === 0 || !head.trunk.weights.some(isMovable)) return 'new';
    return isSolvable ? 'solved' : 'trained';
  }
  return last?.phase === 'head' && last.method !== 'gradient' ? 'solved' : 'trained';
}

function baseState({ base, head }: AnyModel, { unfreeze }: FineTuneOptions): Facts['base'] {
  if (unfreeze === 'base' || unfreeze === 'all') return 'whole';
  const { weights } = base.trunk;
  const moving = weights.filter(isMovable).length;
  const canAll = weights.filter(({ kind }) => kind !== 'statistics').length;
  if (moving > 0 && moving === canAll) return 'whole';
  if (unfreeze !== undefined || moving > 0) return 'part';
  // Whoever has frozen the head too is told so, and nothing is unfrozen.
  return head.trunk.weights.some(isMovable) ? 'open' : 'part';
}

/** Multiplications of each stage: those of its kernels, at every position of its output. */
function costsOf({ stages, weights }: Trunk): readonly number[] {
  return stages.map((stage, place) => {
    const kernels = weights.filter((weight) => weight.stage === place && weight.shape.length > 1);
    const values = kernels.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return values * sizeOf(stage.output.shape.slice(1, -1));
  });
}
