// Finds the activation of a layer, with one name for all spellings in configurations.
import type { LayerSpec } from '../../core/graphs.ts';
import { classNameOf, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { snakeCase } from '../layers/kerasActivations.ts';
import { numberOf } from '../graphs/inferShapes.ts';

/** A function without weights. */
export interface Activation {
  /**
   * Name as in Keras 3 (`relu`, `silu`, `leaky_relu`), with two exceptions: `hard_sigmoid` is that of Keras 2 and
   * `hard_sigmoid_relu6` that of Keras 3; `clipped_relu` is a relu with a maximum.
   */
  readonly name: string;
  /** Slope below 0 of `leaky_relu`. */
  readonly slope?: number;
  /** Maximum of `clipped_relu`. */
  readonly ceiling?: number;
}

const synonyms: Readonly<Record<string, string>> = {
  celu: 'elu',
  hard_swish: 'hard_silu',
  swish: 'silu',
};

/** The activation of an activation layer; undefined for other layers. */
export function activationOfLayer({
  className,
  config,
}: Pick<LayerSpec, 'className' | 'config'>): Activation | undefined {
  switch (className) {
    case 'Activation':
      return activationNamed(config.activation);
    case 'ActivationOf':
      // Only Keras 3 has this layer.
      return activationNamed(config.activation === 'hard_sigmoid' ? 'hard_sigmoid_relu6' : config.activation);
    case 'ReLU':
      return reluUpTo(numberOf(config.max_value));
    case 'LeakyReLU':
      return { name: 'leaky_relu', slope: numberOf(config.alpha) ?? 0.3 };
    case 'ELU':
      return { name: 'elu' };
    default:
      return undefined;
  }
}

/** The activation that a layer applies to its result; undefined for none. */
export function ownActivation({ config }: LayerSpec): Activation | undefined {
  const { activation } = config;
  const found = isJsonObject(activation) ? activationHeld(activation) : activationNamed(activation);
  return found?.name === 'linear' ? undefined : found;
}

/** An activation that the configuration holds as an object: a layer, or a class that only tfjs knows. */
function activationHeld({ class_name: className, config }: JsonObject): Activation {
  const layer = { className: classNameOf(className), config: isJsonObject(config) ? config : {} };
  return activationOfLayer(layer) ?? { name: `an object of class ${layer.className}` };
}

function activationNamed(name: Json | undefined): Activation | undefined {
  if (typeof name !== 'string') return undefined;
  const snake = snakeCase(name);
  const known = synonyms[snake] ?? snake;
  return known === 'leaky_relu' ? { name: known, slope: 0.2 } : { name: known };
}

function reluUpTo(ceiling: number | undefined): Activation {
  if (ceiling === undefined) return { name: 'relu' };
  return ceiling === 6 ? { name: 'relu6' } : { name: 'clipped_relu', ceiling };
}
