// The verb blend: gives a fine-tuned model the weights between its own and those that it had before.
import { nameErrors } from './core/edge.ts';
import type { BlendLog } from './core/logs.ts';
import type { AnyModel } from './model/model.ts';
import { assertIdle, whileChanged } from './model/uses.ts';
import { assertBlendNames, type BlendOptions } from './training/options/blendOptions.ts';

/**
 * Blends a fine-tuned model with the model before fine-tuning: each weight becomes `(1 - alpha) * before + alpha * own`.
 * Between the two, a model often keeps most of what fine-tuning gained, and loses less on pictures of another kind.
 *
 * Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, section 3.
 *
 * @param model - The fine-tuned model. It is changed; its thresholds stay. Its last log gets the result as `blend`, which
 * `save` stores.
 * @param before - The same network with the same labels, with a trained head: what `save` stored after `trainHead`. It is
 * not changed.
 * @param options - See {@link BlendOptions}.
 * @returns The chosen alpha, and the figures of those that were tried.
 * @throws TransferKitError `INVALID_OPTION` for networks, labels or preprocessing that differ, a head that was never
 * trained, a model without a log of training, BatchNorm statistics that differ, frozen weights that differ, and twice the
 * same model; `BASE_SHARED` if other models share the weights that would change; the errors of `evaluate`,
 * `TOO_FEW_EXAMPLES`, and `BUSY` while another verb changes one of the models. After an error the model is unchanged.
 *
 * @example
 * ```ts
 * import { blend, load } from 'transferkit';
 * await trainHead(model, train);
 * await save(model, 'before');
 * await fineTune(model, train, { epochs: 2, validation });
 * const before = await load('before', { task: 'classes' });
 * const { alpha, tried } = await blend(model, before, { validation });
 * console.log(alpha, tried.map(({ loss }) => loss));
 * before.dispose();
 * ```
 */
export async function blend(model: AnyModel, before: AnyModel, options: BlendOptions = {}): Promise<BlendLog> {
  return nameErrors('blend', () => {
    assertBlendNames(options);
    assertIdle(model);
    assertIdle(before);
    return whileChanged('blend', [model, before], async () => {
      const { blendNow } = await import('./training/run/blendNow.ts');
      return blendNow(model, before, options);
    });
  });
}
