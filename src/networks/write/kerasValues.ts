// Values in a layer's configuration as Keras 3 has them: activations, initialisers, regularisers, constraints. The reverse
// of networks/read/keras3Values.
import { classNameOf, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { snakeCase } from '../layers/kerasActivations.ts';

/** Activations of Keras 3 that are computed by the same formula here under the same name. */
const activations: ReadonlySet<string> = new Set([
  ...['celu', 'elu', 'exponential', 'gelu', 'hard_shrink', 'hard_silu', 'hard_tanh', 'leaky_relu', 'linear'],
  ...['log_sigmoid', 'log_softmax', 'mish', 'relu', 'relu6', 'selu', 'sigmoid', 'silu', 'soft_shrink', 'softmax'],
  ...['softplus', 'softsign', 'sparse_plus', 'squareplus', 'tanh', 'tanh_shrink'],
]);

/** Names of tfjs and of this package for others of Keras 3. tfjs's own `hard_sigmoid` is that of Keras 2. */
const renamed: Readonly<Record<string, string>> = {
  hard_sigmoid_relu6: 'hard_sigmoid',
  hard_swish: 'hard_silu',
  swish: 'silu',
};

/** The name of an activation in Keras 3. Undefined for one that Keras computes by another formula, or not by name. */
export function kerasActivation(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return 'linear';
  if (typeof value !== 'string') return undefined;
  const name = snakeCase(value);
  return renamed[name] ?? (activations.has(name) ? name : undefined);
}

const initializers: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['Constant', 'GlorotNormal', 'GlorotUniform', 'HeNormal', 'HeUniform', 'Identity', 'Ones', 'Orthogonal'],
      ...['RandomNormal', 'RandomUniform', 'TruncatedNormal', 'VarianceScaling', 'Zeros'],
    ].map((name) => [name, name]),
  ),
  LeCunNormal: 'LecunNormal',
  LeCunUniform: 'LecunUniform',
};

/** An initialiser. Undefined for one that Keras lacks: the file has the values, and Keras its default. */
export function kerasInitializer(value: Json | undefined): JsonObject | undefined {
  const { className, config } = described(value) ?? { className: '', config: {} };
  const name = Object.hasOwn(initializers, className) ? initializers[className] : undefined;
  return name === undefined ? undefined : kerasObject('keras.initializers', name, config);
}

/** A regulariser or a constraint. Undefined where there is none. */
export function kerasRule(kind: 'regularizers' | 'constraints', value: Json | undefined): JsonObject | undefined {
  const found = described(value);
  return found && kerasObject(`keras.${kind}`, found.className, found.config);
}

/** An object as Keras 3 writes it. */
export function kerasObject(module: string, className: string, config: JsonObject): JsonObject {
  // Keras registers its own classes under no name, except those that are not part of its interface.
  const registered = module.startsWith('keras.src.') ? className : null;
  return { module, class_name: className, config, registered_name: registered };
}

function described(value: Json | undefined): { readonly className: string; readonly config: JsonObject } | undefined {
  if (!isJsonObject(value)) return undefined;
  return { className: classNameOf(value.class_name), config: isJsonObject(value.config) ? value.config : {} };
}
