// Rewrites the values in a layer's configuration: types, activations, initialisers, regularisers, constraints.
import { classNameOf, isJsonList, isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/**
 * Rewrites the value of a setting for tfjs.
 *
 * @param keras3 - `hard_sigmoid` of Keras 3 differs from that of Keras 2.
 */
export function plainValue(key: string, value: Json, keras3: boolean): Json {
  if (key === 'dtype') return plainDtype(value);
  if (key === 'activation' || key.endsWith('_activation')) return plainActivation(value, keras3);
  if (key.endsWith('_initializer')) return plainInitializer(value);
  if (key.endsWith('_regularizer')) return plainRegularizer(value);
  if (key.endsWith('_constraint')) return plainConstraint(value);
  return plainObject(value);
}

/**
 * Keras 3 writes an object as { module, class_name, config, registered_name }, and an array as an object with its
 * values.
 */
function plainObject(value: Json): Json {
  if (isJsonList(value)) return value.map(plainObject);
  if (!isJsonObject(value)) return value;
  const { class_name: className, config } = value;
  if (className === '__numpy__' || className === '__tensor__')
    return isJsonObject(config) ? (config.value ?? null) : null;
  if (className === undefined || config === undefined) return value;
  return { class_name: classNameOf(className).replace(/^.*>/, ''), config: plainObject(config) };
}

/** The name of a type. Mixed precision depends on the machine: the weights have full precision. */
function plainDtype(value: Json): Json {
  const policy = isJsonObject(value) && isJsonObject(value.config) ? value.config.name : value;
  if (policy === 'bool' || policy === 'string') return policy;
  return typeof policy === 'string' && /^int(8|16|32|64)$/.test(policy) ? 'int32' : 'float32';
}

/** Names of Keras's activations in tfjs, or in `registerLayers` for those that tfjs lacks. */
const activations: Readonly<Record<string, string>> = { hard_swish: 'hard_silu', silu: 'swish' };

/** Activations with another name in tfjs. */
function plainActivation(value: Json, keras3: boolean): Json {
  const name = activationName(value);
  if (name === undefined) return plainObject(value);
  if (name === 'hard_sigmoid' && keras3) return 'hard_sigmoid_relu6';
  return Object.hasOwn(activations, name) ? (activations[name] ?? name) : name;
}

/** Keras 3 writes a function as an object whose configuration is its name. */
function activationName(value: Json): string | undefined {
  if (typeof value === 'string') return value;
  if (!isJsonObject(value)) return undefined;
  if (typeof value.config === 'string') return value.config.replace(/^.*>/, '');
  return undefined;
}

function plainInitializer(value: Json): Json {
  const plain = plainObject(value);
  if (!isJsonObject(plain) || !isJsonObject(plain.config)) return plain;
  const className = classNameOf(plain.class_name);
  // Saved values replace the initial ones, so the seed is not needed. Its format in Keras 3 would be an error in tfjs.
  const config = isJsonObject(plain.config.seed) ? { ...plain.config, seed: null } : plain.config;
  if (config.distribution === 'untruncated_normal') config.distribution = 'normal';
  return { class_name: initializers[className] ?? className, config };
}

const initializers: Readonly<Record<string, string>> = {
  IdentityInitializer: 'Identity',
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
  OrthogonalInitializer: 'Orthogonal',
};

/** tfjs has one class for L1, L2 and both. */
function plainRegularizer(value: Json): Json {
  const plain = plainObject(value);
  if (!isJsonObject(plain) || !isJsonObject(plain.config)) return plain;
  const { l1, l2 } = plain.config;
  if (plain.class_name === 'L1') return both(l1, 0);
  if (plain.class_name === 'L2') return both(0, l2);
  return plain;
}

/** tfjs writes the regulariser of a depthwise kernel in the place of its constraint too. */
function plainConstraint(value: Json): Json {
  const plain = plainObject(value);
  return isJsonObject(plain) && plain.class_name === 'L1L2' ? null : plain;
}

function both(l1: Json | undefined, l2: Json | undefined): JsonObject {
  return { class_name: 'L1L2', config: { l1: l1 ?? 0.01, l2: l2 ?? 0.01 } };
}
