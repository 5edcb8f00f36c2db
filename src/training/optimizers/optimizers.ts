// Optimizers by name.
import { adagrad } from './adagrad.ts';
import { adam, adamW } from './adam.ts';
import { invalidOption, isObject } from '../../core/optionChecks.ts';
import type { Optimizer } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';

/** Optimizers with their usual settings; `'sgd'` has momentum 0.9. */
export type OptimizerName = 'adam' | 'adamW' | 'sgd' | 'rmsprop' | 'adagrad';

/**
 * The optimizer of a name, or the given one.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleOptimizer(verb: string, optimizer: unknown): Optimizer {
  if (isOptimizer(optimizer)) return optimizer;
  const made = byName(optimizer);
  if (made !== undefined) return made;
  const found = typeof optimizer === 'string' ? optimizer : `a value of type ${typeof optimizer}`;
  const names = "'adam', 'adamW', 'sgd', 'rmsprop', 'adagrad'";
  throw invalidOption(verb, `optimizer to be ${names} or one made by adam(), sgd() …`, found);
}

function byName(name: unknown): Optimizer | undefined {
  switch (name) {
    case 'adam':
      return adam();
    case 'adamW':
      return adamW();
    case 'sgd':
      return sgd({ momentum: 0.9 });
    case 'rmsprop':
      return rmsprop();
    case 'adagrad':
      return adagrad();
    default:
      return undefined;
  }
}

function isOptimizer(value: unknown): value is Optimizer {
  if (!isObject(value) || !('init' in value && 'update' in value)) return false;
  return typeof value.init === 'function' && typeof value.update === 'function';
}
