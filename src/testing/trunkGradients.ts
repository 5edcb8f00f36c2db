// Checks of gradients, against differences of the values, and of penalties.
import { dispose, grad, mul, sum, tensor, tidy, variableGrads, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { fits } from '../core/shapes.ts';
import type { Trunk, TrunkWeight } from '../core/types.ts';
import { consume, largest, valuesOf } from './compareValues.ts';
import { demand } from './conformance.ts';

/** How much each output counts. */
const factor = (place: number) => 1 + 0.5 * Math.sin(1 + place * 1.7);

/** A number that every output has a part in, each another one. */
function score(output: Tensor): Scalar {
  return tidy(() => {
    const factors = Float32Array.from({ length: output.size }, (_, place) => factor(place));
    return sum<Scalar>(mul(output, tensor(factors, output.shape)));
  });
}

/** The same in double precision: small differences do not drown in rounding. */
function scoreOf(trunk: Trunk, input: Tensor): number {
  return consume(trunk.run(input)).reduce((total, value, place) => total + value * factor(place), 0);
}

/** The size of the terms of the score: differences far below it are rounding. */
function termsOf(trunk: Trunk, input: Tensor): number {
  return consume(trunk.run(input)).reduce((total, value, place) => total + Math.abs(value * factor(place)), 0);
}

/** Gradients of every weight that gradients move. */
export function checkGradients(trunk: Trunk, input: Tensor): void {
  const moving = trunk.weights.filter(({ kind }) => kind !== 'statistics');
  if (moving.length === 0) return;
  for (const { variable } of moving) variable.trainable = true;
  tidy(() => {
    const { grads } = variableGrads(
      () => score(trunk.run(input)),
      moving.map(({ variable }) => variable),
    );
    const without = moving.filter(({ variable, shape }) => !hasShape(grads[variable.name], shape));
    demand(without.length === 0, `no gradient for ${without.map(({ name }) => name).join(', ')}`);
    for (const weight of moving) {
      const gradient = grads[weight.variable.name];
      if (gradient !== undefined) compareSlope(trunk, input, weight, valuesOf(gradient));
    }
  });
}

function hasShape(gradient: Tensor | undefined, shape: readonly number[]): boolean {
  return gradient !== undefined && fits(gradient.shape, shape);
}

function compareSlope(trunk: Trunk, input: Tensor, { name, variable }: TrunkWeight, gradient: readonly number[]): void {
  const before = valuesOf(variable);
  const set = (values: readonly number[]) => {
    const value = tensor([...values], variable.shape, variable.dtype);
    variable.assign(value);
    dispose(value);
  };
  const found = slopeRatio(before, gradient, termsOf(trunk, input), (values) => {
    set(values);
    return scoreOf(trunk, input);
  });
  set(before);
  demand(found === undefined, `the values move ${String(found)} times as fast along ${name} as its gradient says`);
}

/** The gradient that reaches what is in front. */
export function checkInputGradient(trunk: Trunk, input: Tensor): void {
  if (trunk.input.dtype !== 'float32') return;
  const found = tidy(() => {
    const gradient = valuesOf(grad((x: Tensor) => score(trunk.run(x)))(input));
    return slopeRatio(valuesOf(input), gradient, termsOf(trunk, input), (values) =>
      tidy(() => scoreOf(trunk, tensor([...values], input.shape, input.dtype))),
    );
  });
  demand(found === undefined, `the values move ${String(found)} times as fast along the input as its gradient says`);
}

/** Share of the score's terms that a difference must have: float32 keeps seven digits of each. */
const leastShare = 1e-5;

/**
 * How much faster values change along the gradient than it says; undefined where it is right for one width of the step.
 * Wide steps meet kinks, narrow ones the rounding of float32. A gradient too small to be seen beside that rounding, as
 * of a bias before a normalisation, cannot be checked.
 *
 * @param terms - The sum of the absolute values that make up the score.
 */
function slopeRatio(
  at: readonly number[],
  gradient: readonly number[],
  terms: number,
  scoreAt: (values: readonly number[]) => number,
): number | undefined {
  const norm = Math.hypot(...gradient);
  if (norm < 1e-6) return undefined;
  const scale = Math.max(largest(at), 0.1) / (largest(gradient) / norm);
  let best = Infinity;
  for (const width of [1e-2, 3e-3, 3e-2, 1e-3, 3e-4]) {
    const step = (width * scale) / norm;
    if (2 * step * norm * norm < leastShare * terms) continue;
    const [ahead, behind] = [1, -1].map((sign) => scoreAt(at.map((x, i) => x + sign * step * (gradient[i] ?? 0))));
    const ratio = ((ahead ?? NaN) - (behind ?? NaN)) / (2 * step * norm * norm);
    if (Math.abs(Math.log(ratio)) < Math.abs(Math.log(best))) best = ratio;
    if (best > 0.75 && best < 1.33) return undefined;
  }
  return Number.isFinite(best) ? best : undefined;
}

/** @param penalised - Layers that bear a penalty. */
export function checkPenalty(trunk: Trunk, penalised: readonly string[] = regularisedLayers(trunk)): void {
  const weights = trunk.weights.filter(({ layer }) => penalised.includes(layer));
  const none = trunk.penalty?.([]);
  dispose(none ?? []);
  demand(none === undefined, 'there is a penalty where nothing moves');
  if (weights.length === 0) return;
  const penalty = trunk.penalty?.(weights);
  demand(penalty !== undefined, `no penalty on ${penalised.join(', ')}`);
  if (penalty !== undefined)
    demand((consume(penalty)[0] ?? NaN) > 0, `the penalty on ${penalised.join(', ')} is not above 0`);
}

function regularisedLayers({ layers }: Trunk): string[] {
  return [...(layers?.graph.layers.values() ?? [])].flatMap(({ name, config }) =>
    ['kernel_regularizer', 'bias_regularizer'].some((key) => typeof config[key] === 'object' && config[key] !== null)
      ? [name]
      : [],
  );
}
