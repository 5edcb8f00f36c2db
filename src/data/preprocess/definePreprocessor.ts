// The user's own preprocessing as a value. Only its name is saved; the function must be passed again on load.
import { nameErrors } from '../../core/edge.ts';
import type { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { CustomSpec, Preprocessor } from '../../model/model.ts';

/** The user's own preprocessing. */
export interface PreprocessorDefinition<Input> {
  /** Name saved with the model, so that `load` can report which function is missing. Not empty. */
  readonly name: string;
  /** Converts one raw example to one input of the base, without the batch axis. The caller owns the tensor. */
  apply(input: Input): Tensor | Promise<Tensor>;
}

/**
 * Makes a preprocessor from the user's own function.
 *
 * @param definition - Its name and its function.
 * @returns A preprocessor for `loadBase` and `load`.
 * @throws TransferKitError `INVALID_OPTION` for an empty name.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { definePreprocessor } from 'transferkit';
 * const logarithm = definePreprocessor({
 *   name: 'logarithm',
 *   apply: (values: number[]) => tf.log1p(tf.tensor1d(values)),
 * });
 * console.log(logarithm.spec); // { kind: 'custom', name: 'logarithm' }
 * ```
 */
export function definePreprocessor<Input>(
  definition: PreprocessorDefinition<Input>,
): Preprocessor<Input> & { readonly spec: CustomSpec } {
  return nameErrors('definePreprocessor', () => {
    assertOptions(definition, { name: true, apply: true }, { example: '{ name, apply }' });
    if (typeof definition.apply !== 'function') {
      throw invalidOption('{ name, apply }, where apply is a function', definition);
    }
    const { name } = definition;
    if (typeof name !== 'string' || name === '') {
      throw new TransferKitError('INVALID_OPTION', 'expected a name that is not empty, got none.', {
        name,
      });
    }
    return { spec: { kind: 'custom', name }, apply: (input) => definition.apply(input) };
  });
}
