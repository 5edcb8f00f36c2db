// The verbs freeze and unfreeze: which weights training may move.
import { nameErrors } from './core/edge.ts';
import { setFrozen, unfreezeNow, type FreezeReport, type FreezeSelection } from './model/freezing.ts';
import type { AnyModel } from './model/model.ts';
import { assertIdle } from './model/uses.ts';

/**
 * Freezes layers, in place. No training changes a weight or BatchNorm statistic of a frozen layer by a single bit, and
 * the layer runs in inference mode.
 *
 * @param model - From `replaceHead` or `load`.
 * @param which - See {@link FreezeSelection}. Default `'base'`.
 * @throws TransferKitError `UNKNOWN_LAYER` with the nearest names, `INVALID_OPTION`, `DISPOSED`, `BUSY` while another
 * verb changes the model. After an error nothing is changed.
 *
 * @example
 * ```ts
 * freeze(model);
 * console.log(freeze(model, 'head').summary);
 * ```
 */
export function freeze(model: AnyModel, which: FreezeSelection = 'base'): FreezeReport {
  return nameErrors('freeze', () => {
    assertIdle(model);
    return setFrozen(model, which, true);
  });
}

/**
 * Unfreezes layers, in place, so that `fineTune` trains them. Unfrozen BatchNorm layers train gamma and beta; their
 * statistics change only with `batchNorm: 'train'`.
 *
 * @param model - From `replaceHead` or `load`.
 * @param which - See {@link FreezeSelection}. Default `'base'`.
 * @throws TransferKitError `UNKNOWN_LAYER` with the nearest names, `INVALID_OPTION`, `DISPOSED`, `BUSY` while another
 * verb changes the model, `BASE_SHARED` for layers of a base that several models share. After an error nothing is
 * changed.
 *
 * @example
 * ```ts
 * console.log(unfreeze(model, { lastStages: 1 }).summary);
 * unfreeze(model, 'norms'); // gamma and beta of all normalisations of the base
 * ```
 */
export function unfreeze(model: AnyModel, which: FreezeSelection = 'base'): FreezeReport {
  return nameErrors('unfreeze', () => {
    assertIdle(model);
    return unfreezeNow(model, which);
  });
}
