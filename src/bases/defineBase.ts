// A base of a trunk of one's own.
import { nameErrors } from '../core/edge.ts';
import { assertOptions } from '../core/optionNames.ts';
import { invalidOption, isObject } from '../core/optionChecks.ts';
import type { Trunk } from '../core/types.ts';
import type { Base } from '../model/model.ts';
import { choosePreprocessor, type PreprocessOption } from './choosePreprocessor.ts';
import { createBase } from './createBase.ts';

/** What {@link defineBase} makes a base of. */
export interface BaseDefinition {
  /** For texts, and saved with models. Not empty. */
  readonly name: string;
  /** Belongs to the base from then on: `base.dispose()` frees it. */
  readonly trunk: Trunk;
  /** What the network expects, as for `loadBase`. Default: tensors as they are. */
  readonly preprocess?: PreprocessOption;
}

/**
 * Makes a base of a trunk of one's own: `replaceHead` and all verbs take it as one from `loadBase`.
 *
 * @param definition - See {@link BaseDefinition}.
 * @returns A base that is cut at the end of the trunk's last stage.
 * @throws TransferKitError `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { defineBase } from 'transferkit';
 * const own = defineBase({ name: 'own', trunk: base.trunk, preprocess: 'unit' });
 * console.log(own.cut, own.preprocessor.spec.kind); // relu image
 * ```
 */
export function defineBase(definition: BaseDefinition): Base {
  return nameErrors('defineBase', () => {
    assertOptions(definition, { name: true, trunk: true, preprocess: true });
    const { name, trunk, preprocess } = definition;
    if (typeof name !== 'string' || name === '') throw invalidOption('a name that is not empty', name);
    if (!isObject(trunk) || !isObject(trunk.stages)) throw invalidOption('a trunk', trunk);
    const cut = trunk.stages.at(-1)?.name;
    if (cut === undefined) throw invalidOption('a trunk of at least one stage', trunk.stages);
    const preprocessor = choosePreprocessor(trunk.input, {
      option: preprocess,
      saved: undefined,
      pictures: undefined,
    });
    return createBase({ name, trunk, preprocessor, cut, notes: [] });
  });
}
