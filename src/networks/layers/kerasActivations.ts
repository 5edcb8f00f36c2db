// Activations of Keras 3 that tfjs lacks or computes by another formula, registered under names that tfjs looks up.
import {
  abs,
  add,
  clipByValue,
  div,
  elu,
  exp,
  leakyRelu,
  log1p,
  maximum,
  mul,
  neg,
  relu,
  serialization,
  sigmoid,
  sign,
  sqrt,
  square,
  step,
  sub,
  tanh,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core';

type Activation = (x: Tensor) => Tensor;

/** `relu6(x + 3) / 6`: the hard sigmoid of Keras 3. That of Keras 2 and tfjs is `clip(0.2 x + 0.5, 0, 1)`. */
function hardSigmoid(x: Tensor): Tensor {
  return div(clipByValue(add(x, 3), 0, 6), 6);
}

/** `log(1 + exp(x))` without overflow, from operations with gradients on every backend. */
function logOnePlusExp(x: Tensor): Tensor {
  return add(relu(x), log1p(exp(neg(abs(x)))));
}

/** `x Φ(x)` with the tanh approximation of Φ. Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415. */
function geluTanh(x: Tensor): Tensor {
  const inner = mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, square(x)))));
  return mul(mul(0.5, x), add(1, tanh(inner)));
}

/**
 * Activations by their names in configurations. `hard_sigmoid_relu6` is `hard_sigmoid` of Keras 3; `gelu_tanh` is
 * `gelu(approximate=True)`.
 */
const own: Readonly<Record<string, Activation>> = {
  celu: (x) => elu(x),
  exponential: (x) => exp(x),
  gelu_tanh: geluTanh,
  hard_shrink: (x) => mul(x, step(sub(abs(x), 0.5))),
  hard_sigmoid_relu6: hardSigmoid,
  // Howard et al. 2019, https://arxiv.org/abs/1905.02244.
  hard_silu: (x) => mul(x, hardSigmoid(x)),
  hard_tanh: (x) => clipByValue(x, -1, 1),
  leaky_relu: (x) => leakyRelu(x, 0.2),
  log_sigmoid: (x) => neg(logOnePlusExp(neg(x))),
  silu: (x) => mul(x, sigmoid(x)),
  soft_shrink: (x) => mul(sign(x), relu(sub(abs(x), 0.5))),
  sparse_plus: sparsePlus,
  squareplus: (x) => div(add(x, sqrt(add(square(x), 4))), 2),
  tanh_shrink: (x) => sub(x, tanh(x)),
};

/** 0 below -1, x above 1, a parabola between them. */
function sparsePlus(x: Tensor): Tensor {
  const bent = div(square(add(clipByValue(x, -1, 1), 1)), 4);
  return add(bent, maximum(sub(x, 1), 0));
}

/** Aliases, and names that differ in Keras 3. */
const synonyms: Readonly<Record<string, string>> = {
  hard_swish: 'hard_silu',
  swish: 'silu',
};

/**
 * An activation by its name: one of this file, otherwise one of tfjs.
 *
 * @param name - In snake_case as in Keras, or in camelCase as in tfjs.
 */
export function activationNamed(name: string): Activation {
  const snake = snakeCase(name);
  const found = Object.hasOwn(own, snake) || Object.hasOwn(synonyms, snake) ? own[synonyms[snake] ?? snake] : undefined;
  if (found !== undefined) return found;
  const known: unknown = serialization.SerializationMap.getMap().classNameMap[camelCase(name)]?.[0];
  const made: unknown = isConstructor(known) ? new known({}) : undefined;
  if (isApplicable(made)) return (x) => made.apply(x);
  throw new RangeError(`no activation '${name}'`);
}

/** Classes that tfjs's layers look up by the name of an activation. */
export function activationClasses(): serialization.SerializableConstructor<serialization.Serializable>[] {
  return Object.entries(own).map(([name, compute]) => activationClass(camelCase(name), compute));
}

function activationClass(
  className: string,
  compute: Activation,
): serialization.SerializableConstructor<serialization.Serializable> {
  return class extends serialization.Serializable {
    static readonly className = className;
    apply(x: Tensor): Tensor {
      return tidy(() => compute(x));
    }
    getConfig(): serialization.ConfigDict {
      return {};
    }
  };
}

/** tfjs converts the strings of a configuration to camelCase when it reads it, and to snake_case when it saves it. */
export function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Converts a name from camelCase to snake_case. */
export function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

function isConstructor(value: unknown): value is new (config: object) => unknown {
  return typeof value === 'function';
}

function isApplicable(value: unknown): value is { apply(x: Tensor): Tensor } {
  return typeof value === 'object' && value !== null && 'apply' in value && typeof value.apply === 'function';
}
