// The warnings of a training run.
import type { EpochLog, TrainingLog } from '../../core/logs.ts';
import type { Run } from '../state/plan.ts';
import { halfPrecisionNotes } from '../../engines/backends/halfPrecision.ts';
import { slowBackendNotes } from '../../engines/backends/slowBackend.ts';
import { watchExamples } from './seenExamples.ts';
import { fewExamples, lastFigures, noBetterThanChance, sharedExamples } from './warnings.ts';

/** Result of a run. */
type Done = Pick<TrainingLog, 'epochs'> & { readonly best?: TrainingLog['best'] | undefined };

/** A run that records which of its examples are read, and its warnings. */
export interface WatchedRun {
  readonly run: Run;
  warnings(done: Done): string[];
}

/** Watches the examples of a run. */
export function watchRun(run: Run): WatchedRun {
  const { model } = run;
  const { train, validation, held } = run.samples;
  const trunk = model.head.trunk;
  const seen = { train: watchExamples(train), validation: validation && watchExamples(validation) };
  const judged = seen.validation ?? seen.train;
  return {
    run: { ...run, samples: { ...run.samples, train: seen.train.samples, validation: seen.validation?.samples } },
    warnings: (done) => {
      if (done.epochs.length > 0) seen.train.remember(trunk);
      const epoch = finalEpoch(done);
      const isPlain = hasPlainLoss(run) && !judged.isWeighted();
      return [
        ...slowBackendNotes(),
        ...halfPrecisionNotes(),
        ...fewExamples(model, train, 'training'),
        // The user chose the number of examples, but not how many of them `'auto'` holds out.
        ...(validation === undefined || held?.by === 'auto' ? [] : fewExamples(model, validation, 'validation')),
        ...sharedExamples(seen.validation?.sharedWith(trunk) ?? 0, 'validation'),
        ...noBetterThanChance(
          model,
          judged.samples,
          (part) => lastFigures(epoch, part, validation !== undefined),
          isPlain,
        ),
      ];
    },
  };
}

/**
 * Whether losses are cross-entropies of the unchanged targets: others cannot be compared with the label frequencies.
 */
function hasPlainLoss({ options: { loss, labelSmoothing, classWeights, mix } }: Run): boolean {
  const isDefault = loss === undefined || loss === 'crossEntropy';
  return isDefault && labelSmoothing === 0 && classWeights === undefined && mix === undefined;
}

/** The epoch whose weights the model has; undefined if it has the initial weights. */
function finalEpoch({ epochs, best }: Done): EpochLog | undefined {
  return best?.restored === true ? epochs.find(({ epoch }) => epoch === best.epoch) : epochs.at(-1);
}
