// Which activation a layer applies, by one name for all the ways in which configurations write it.
import type { LayerSpec } from '../../core/graphs.ts';
import { classNameOf, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { snakeCase } from '../layers/kerasActivations.ts';
import { numberOf } from '../graphs/inferShapes.ts';

/** A function without weights. */
export interface Activation {
  /**
   * As Keras 3 names it (`relu`, `silu`, `leaky_relu`), but `hard_sigmoid` is Keras 2's and `hard_sigmoid_relu6` Keras
   * 3's; `clipped_relu` is a relu with a largest value.
   */
  readonly name: string;
  /** Slope below 0 of `leaky_relu`. */
  readonly slope?: number;
  /** Largest value of `clipped_relu`. */
  readonly ceiling?: number;
}

const synonyms: Readonly<Record<string, string>> = {
  celu: 'elu',
  hard_swish: 'hard_silu',
  swish: 'silu',
};

/** The activation that a layer is; undefined for layers that are something else. */
export function activationOfLayer({
  className,
  config,
}: Pick<LayerSpec, 'className' | 'config'>): Activation | undefined {
  switch (className) {
    case 'Activation':
      return activationNamed(config.activation);
    case 'ActivationOf':
      // This layer speaks of Keras 3 alone.
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

/** The activation that a layer applies to what it computes; undefined for none. */
export function ownActivation({ config }: LayerSpec): Activation | undefined {
  const { activation } = config;
  const found = isJsonObject(activation) ? activationHeld(activation) : activationNamed(activation);
  return found?.name === 'linear' ? undefined : found;
}

/** The activation that a layer holds as an object: a layer of its own, or a class that only tfjs knows. */
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
