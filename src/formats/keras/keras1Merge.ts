// Converts the layer Merge of Keras 1: since Keras 2 each of its modes is a class.
import type { TransferKitError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';

/** Class and configuration of a layer. */
export interface Merged {
  readonly class_name: string;
  readonly config: JsonObject;
}

const classes: Readonly<Record<string, string>> = {
  ave: 'Average',
  concat: 'Concatenate',
  max: 'Maximum',
  mul: 'Multiply',
  sum: 'Add',
};

/**
 * Returns the layer of Keras 2 that replaces a Merge.
 *
 * @param refuse - Makes the error for a Merge without a replacement: dot products, functions, branches of a Sequential.
 */
export function convertedMerge(config: JsonObject, refuse: (what: string) => TransferKitError): Merged {
  const { name = null, mode = 'sum', mode_type: kind = 'raw', concat_axis: axis = -1, layers } = config;
  if (layers !== undefined) throw refuse('as the beginning of a Sequential, with models of its own');
  const className =
    typeof mode === 'string' && kind === 'raw' && Object.hasOwn(classes, mode) ? classes[mode] : undefined;
  if (className === undefined) throw refuse(`with mode ${JSON.stringify(mode)}`);
  return { class_name: className, config: { name, ...(className === 'Concatenate' && { axis }) } };
}
