// The optimizers by name. Names and types derive from this table.
import { hasKey, keysOf, quoted } from '../../core/names.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import { adagrad } from './adagrad.ts';
import { adam, adamW } from './adam.ts';
import { lion } from './lion.ts';
import type { Optimizer } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';

/** All optimizers: a name is the same as its function called without arguments. */
export const optimizers = { adam, adamW, sgd, rmsprop, adagrad, lion } as const satisfies Readonly<
  Record<string, () => Optimizer>
>;

/** Name of an optimizer: `'adam'` is `adam()` of `transferkit/optimizers`. */
export type OptimizerName = keyof typeof optimizers;

/**
 * The optimizer of a name, or the given one.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleOptimizer(optimizer: unknown): Optimizer {
  if (isOptimizer(optimizer)) return optimizer;
  if (hasKey(optimizers, optimizer)) return optimizers[optimizer]();
  throw invalidOption(`optimizer to be ${quoted(keysOf(optimizers))} or one made by adam(), sgd() …`, optimizer);
}

function isOptimizer(value: unknown): value is Optimizer {
  if (!isObject(value) || !('init' in value && 'update' in value)) return false;
  return typeof value.init === 'function' && typeof value.update === 'function';
}
