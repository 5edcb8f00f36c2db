// Layers and activations of an app under names of this package.
import type { LayerSpec } from '../../core/graphs.ts';
import { camelCase, snakeCase } from '../layers/kerasActivations.ts';
import { isReplaced } from '../layers/registerLayers.ts';

/** Whether a layer or its activation, whose name is one of ours, is registered with another class. */
export function isForeign({ className, config }: LayerSpec): boolean {
  if (isReplaced(className)) return true;
  const { activation } = config;
  return typeof activation === 'string' && className !== 'ActivationOf' && isReplaced(camelCase(snakeCase(activation)));
}
