// Writes activations as nodes: fused into a kernel's node, as single operations, and as formulas.
import { internalError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Activation } from '../run/layerActivation.ts';
import type { NodeScope } from '../graphs/nodeDraft.ts';

/** Activations that fused convolutions and products compute on every backend of tfjs. */
const fused: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  leaky_relu: 'LeakyRelu',
  sigmoid: 'Sigmoid',
};

const operations: Readonly<Record<string, string>> = {
  ...fused,
  exponential: 'Exp',
  log_softmax: 'LogSoftmax',
  selu: 'Selu',
  softmax: 'Softmax',
  softplus: 'Softplus',
  tanh: 'Tanh',
};

type Formula = (scope: NodeScope, x: string, activation: Activation) => string;

const formulas: Readonly<Record<string, Formula>> = {
  clipped_relu: (scope, x, { ceiling = Infinity }) => clip(scope, x, 0, ceiling),
  gelu: (scope, x) => {
    const part = scope.node('Erf', [times(scope, x, Math.SQRT1_2)]);
    return times(scope, scope.node('Mul', [x, plus(scope, part, 1)]), 0.5);
  },
  gelu_tanh: (scope, x) => {
    const cube = scope.node('Mul', [x, scope.node('Square', [x])]);
    const inner = times(scope, scope.node('AddV2', [x, times(scope, cube, 0.044715)]), Math.sqrt(2 / Math.PI));
    return times(scope, scope.node('Mul', [x, plus(scope, scope.node('Tanh', [inner]), 1)]), 0.5);
  },
  hard_sigmoid: (scope, x) => clip(scope, plus(scope, times(scope, x, 0.2), 0.5), 0, 1),
  hard_sigmoid_relu6: (scope, x) => times(scope, scope.node('Relu6', [plus(scope, x, 3)]), 1 / 6),
  hard_silu: (scope, x) => {
    const bent = scope.node('Relu6', [plus(scope, x, 3)]);
    return times(scope, scope.node('Mul', [x, bent]), 1 / 6);
  },
  hard_tanh: (scope, x) => clip(scope, x, -1, 1),
  leaky_relu: (scope, x, { slope = 0.2 }) => scope.node('LeakyRelu', [x], { alpha: { f: slope } }),
  linear: (_scope, x) => x,
  log_sigmoid: (scope, x) => scope.node('Neg', [scope.node('Softplus', [scope.node('Neg', [x])])]),
  mish: (scope, x) => scope.node('Mul', [x, scope.node('Tanh', [scope.node('Softplus', [x])])]),
  silu: (scope, x) => scope.node('Mul', [x, scope.node('Sigmoid', [x])]),
  softsign: (scope, x) => scope.node('RealDiv', [x, plus(scope, scope.node('Abs', [x]), 1)]),
  tanh_shrink: (scope, x) => scope.node('Sub', [x, scope.node('Tanh', [x])]),
};

/** Whether an activation can be written as nodes. */
export function isWritable({ name }: Activation): boolean {
  return name in operations || name in formulas;
}

/** Writes an activation as nodes. */
export function writeActivation(scope: NodeScope, activation: Activation, x: string): string {
  const formula = formulas[activation.name];
  if (formula !== undefined) return formula(scope, x, activation);
  const op = operations[activation.name];
  if (op === undefined) throw internalError(`no node for '${activation.name}'`);
  return scope.node(op, [x]);
}

/** An activation that is fused into a kernel's node. */
export interface FusedActivation {
  readonly op: string;
  readonly attr: JsonObject;
}

/** An activation for a kernel's node. Undefined if it cannot be fused. */
export function fusedActivation(
  kind: 'conv' | 'depthwise' | 'product',
  { name, slope = 0.2 }: Activation,
): FusedActivation | undefined {
  const op = fused[name];
  if (op === undefined) return undefined;
  if (name !== 'leaky_relu') return { op, attr: {} };
  // tfjs's executor does not pass the slope to a depthwise convolution.
  return kind === 'depthwise' ? undefined : { op, attr: { leakyrelu_alpha: { f: slope } } };
}

function times(scope: NodeScope, x: string, factor: number): string {
  return scope.node('Mul', [x, scope.number(factor)]);
}

function plus(scope: NodeScope, x: string, summand: number): string {
  return scope.node('AddV2', [x, scope.number(summand)]);
}

function clip(scope: NodeScope, x: string, least: number, most: number): string {
  return scope.node('ClipByValue', [x, scope.number(least), scope.number(most)]);
}
