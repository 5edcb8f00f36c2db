// Comparing tensors as plain values.
import { dispose, memory, type Tensor } from '@tensorflow/tfjs-core';
import type { Trunk } from '../core/types.ts';
import { demand } from './conformance.ts';

/** Values of a tensor, which stays. */
export function valuesOf(tensor: Tensor): number[] {
  return Array.from(tensor.dataSync(), Number);
}

/** Values of a tensor that nobody needs afterwards. */
export function consume(tensor: Tensor): number[] {
  const values = valuesOf(tensor);
  dispose(tensor);
  return values;
}

/** Whether values are equal to a share of the largest. */
export function near(values: readonly number[], expected: readonly number[], share = 1e-5): boolean {
  const distance = share * Math.max(1e-6, largest(expected));
  return (
    values.length === expected.length && values.every((value, i) => Math.abs(value - (expected[i] ?? NaN)) <= distance)
  );
}

/** The largest absolute value. */
export function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Runs something and demands that it leaves as many tensors as it found. */
export function withoutLeak(what: string, run: () => void): void {
  const before = memory().numTensors;
  run();
  const left = memory().numTensors - before;
  demand(left === 0, `${what} left ${String(left)} tensors`);
}

/** What each stage of a trunk takes, from the first on. The caller owns the tensors. */
export function stageInputs(trunk: Trunk, input: Tensor): Tensor[] {
  return trunk.stages.map((_, to) => trunk.run(input, { to }));
}
