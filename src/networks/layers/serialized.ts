// Looks up initialisers, regularisers and constraints of a configuration in tfjs's registry.
import { serialization } from '@tensorflow/tfjs-core';
import type { constraints, initializers, regularizers } from '@tensorflow/tfjs-layers';

/** An initialiser of tfjs. */
export type Initializer = ReturnType<(typeof initializers)['zeros' | 'ones' | 'constant']>;
/** A constraint of tfjs, applied to weights after each step. */
export type Constraint = ReturnType<typeof constraints.nonNeg>;
/** A regulariser of tfjs, a penalty on weights. */
export type Regularizer = ReturnType<typeof regularizers.l2>;

/** An initialiser. `otherwise` is the default if the configuration has none. */
export function initializerOf(value: unknown, otherwise: string): Initializer {
  const found = deserialize(value ?? { className: otherwise, config: {} });
  if (found === undefined || !isInitializer(found)) throw new TypeError(`no initializer ${JSON.stringify(value)}`);
  return found;
}

/** A regulariser. Undefined if the configuration has none. */
export function regularizerOf(value: unknown): Regularizer | undefined {
  const found = deserialize(value);
  if (found === undefined || isRegularizer(found)) return found;
  throw new TypeError(`no regularizer ${JSON.stringify(value)}`);
}

/** A constraint. Undefined if the configuration has none. */
export function constraintOf(value: unknown): Constraint | undefined {
  const found = deserialize(value);
  if (found === undefined || isConstraint(found)) return found;
  throw new TypeError(`no constraint ${JSON.stringify(value)}`);
}

/** Class name and configuration of an object. */
export function serialize(object: serialization.Serializable | undefined): serialization.ConfigDict | null {
  return object === undefined ? null : { className: object.getClassName(), config: object.getConfig() };
}

function deserialize(value: unknown): serialization.Serializable | undefined {
  const named = typeof value === 'string' ? { className: value, config: {} } : value;
  if (!isDescription(named)) return undefined;
  const className = named.className.charAt(0).toUpperCase() + named.className.slice(1);
  const [constructor, fromConfig] = serialization.SerializationMap.getMap().classNameMap[className] ?? [];
  if (constructor === undefined || fromConfig === undefined) throw new TypeError(`no class '${className}'`);
  return fromConfig(constructor, { ...named.config });
}

interface Description {
  readonly className: string;
  readonly config: serialization.ConfigDict;
}

function isDescription(value: unknown): value is Description {
  if (typeof value !== 'object' || value === null || !('className' in value) || !('config' in value)) return false;
  return typeof value.className === 'string' && typeof value.config === 'object' && value.config !== null;
}

function isInitializer(value: object): value is Initializer {
  return 'apply' in value;
}

function isRegularizer(value: object): value is Regularizer {
  return 'apply' in value;
}

function isConstraint(value: object): value is Constraint {
  return 'apply' in value;
}
