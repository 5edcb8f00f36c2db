// Parts of a run that train the same weights.
import { TransferKitError } from '../../core/errors.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { unfreezeNow, type FreezeSelection } from '../../model/freezing.ts';
import type { AnyModel } from '../../model/model.ts';
import { isSteps, type FineTuneOptions, type UnfreezeStep } from '../options/fineTuneOptions.ts';
import type { Segment } from '../state/plan.ts';
import { isMovable } from '../../model/network.ts';

/** A segment that trains the weights that are unfrozen now. */
export function segmentNow(epoch: number, weights: readonly TrunkWeight[]): Segment {
  return { epoch, unfrozen: weights.filter(({ frozen }) => !frozen), trainable: weights.filter(isMovable) };
}

/**
 * Decides which weights train in which epochs. Leaves the model in the freeze state of the first segment.
 *
 * @throws TransferKitError `INVALID_OPTION`, `UNKNOWN_LAYER`, `BASE_SHARED`.
 */
export function planSegments(
  model: AnyModel,
  selection: FineTuneOptions['unfreeze'],
  { initialEpoch, epochs }: { readonly initialEpoch: number; readonly epochs: number },
): readonly Segment[] {
  const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
  if (!isSteps(selection)) {
    if (selection !== undefined) unfreezeNow(model, selection);
    return [segmentNow(initialEpoch, weights)];
  }
  assertSteps(selection);
  const segments = selection.map((step) => {
    unfreezeNow(model, selectionOf(step));
    return segmentNow(step.epoch, weights);
  });
  // A resumed run begins in the step that its first epoch belongs to.
  const current = Math.max(
    0,
    segments.findLastIndex(({ epoch }) => epoch <= initialEpoch),
  );
  const left = segments.slice(current).filter(({ epoch }, place) => place === 0 || epoch < epochs);
  const [first] = left;
  for (const weight of weights) weight.frozen = first?.unfrozen.includes(weight) !== true;
  return left.map((segment, place) => (place === 0 ? { ...segment, epoch: initialEpoch } : segment));
}

function selectionOf({ epoch: _epoch, ...selection }: UnfreezeStep): FreezeSelection {
  return 'layers' in selection ? selection.layers : selection;
}

function assertSteps(steps: readonly UnfreezeStep[]): void {
  const epochs = steps.map(({ epoch }) => epoch);
  const rising = epochs.every((epoch, i) => Number.isInteger(epoch) && epoch > (epochs[i - 1] ?? -1));
  if (rising && epochs[0] === 0) return;
  const text =
    `expected unfreeze to list steps whose epochs are whole numbers that rise from 0, got ${epochs.join(', ')}. ` +
    'Give every step an epoch.';
  throw new TransferKitError('INVALID_OPTION', text, { epochs });
}
