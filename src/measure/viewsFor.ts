// Test-time augmentation by the options of a verb. What it needs is loaded only when it is used.
import type { AnyModel } from '../model/model.ts';
import type { InferViews, ViewOptions } from './viewOptions.ts';

/**
 * Checks the options and loads what they need. Undefined if there is only the input as it is.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export async function viewsFor(model: AnyModel, options: ViewOptions): Promise<InferViews | undefined> {
  if (options.views === undefined && options.augment === undefined) return undefined;
  const { settleViews } = await import('./views.ts');
  return settleViews(model, options);
}
