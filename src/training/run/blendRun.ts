// The blend at the end of a run of fineTune: between the weights before it and those it ends with.
import { TransferKitError } from '../../core/errors.ts';
import type { BlendLog } from '../../core/logs.ts';
import { measure } from '../../measure/measure.ts';
import type { Examples } from '../../features/examples.ts';
import type { Run } from '../state/plan.ts';
import { takeSnapshot } from '../state/snapshot.ts';
import type { TrainingState } from '../state/trainingState.ts';
import { writeFinalWeights } from './bestWeights.ts';
import { alphas, blendEnds, readEnds } from './blendWeights.ts';

/**
 * Raises unless a run can blend.
 *
 * @param isSolvedFirst - Whether the head is trained before the run.
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertBlends({ blend, model, segments }: Run, isSolvedFirst: boolean): void {
  if (blend === undefined) return;
  if (!model.head.trained && !isSolvedFirst) {
    const text =
      'expected a trained head for blend, got a head that was never trained and is not trained before this run. Leave ' +
      'headEpochs out, or call trainHead first.';
    throw new TransferKitError('INVALID_OPTION', text);
  }
  const moving = segments.flatMap(({ statistics }) => statistics.map(({ name }) => name));
  if (moving.length === 0) return;
  const text =
    `expected BatchNorm statistics that stay the same for blend, got batchNorm: 'train', which changes '${moving[0] ?? ''}'. ` +
    "Statistics cannot be blended: train with batchNorm: 'inference', or without blend.";
  throw new TransferKitError('INVALID_OPTION', text, { statistics: moving });
}

/** Number of validations at the end of a run: that of the last epoch, and those that choose a blend. */
export function finalValidations({ blend }: Run): number {
  return blend === undefined || blend.alpha !== undefined ? 1 : 1 + alphas.length;
}

/**
 * Chooses the share of the weights that the run would end with now, unless it is given. The weights stay as they are.
 *
 * @param validation - Undefined: nothing is chosen.
 */
export async function chooseBlend(run: Run, state: TrainingState, validation: Examples | undefined): Promise<void> {
  const { start } = state;
  if (start === undefined || validation === undefined || run.blend?.alpha !== undefined) return;
  const trained = takeSnapshot([...start.values.keys()]);
  try {
    writeFinalWeights(run, state);
    const ends = await readEnds(start.values);
    const judge = () => measure(run, validation, run.options.batchSize);
    state.blend = await blendEnds(ends, undefined, judge, run.model.head.parts);
  } finally {
    trained.restore();
    trained.dispose();
  }
}

/** Blends the weights before a run with those that it ends with. Returns undefined if the run does not blend. */
export async function blendRun({ blend, model }: Run, state: TrainingState): Promise<BlendLog | undefined> {
  if (blend === undefined || state.start === undefined) return undefined;
  const chosen = state.blend;
  const ends = await readEnds(state.start.values);
  const { alpha } = await blendEnds(ends, blend.alpha ?? chosen?.alpha, undefined, model.head.parts);
  return { alpha, tried: chosen?.tried ?? [] };
}
