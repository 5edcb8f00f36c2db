// Arithmetic and descriptions of shapes.
import type { Shape } from './types.ts';

/** Number of values in a shape; free axes count as 1. */
export function sizeOf(shape: Shape): number {
  return shape.reduce<number>((size, axis) => size * (axis ?? 1), 1);
}

/** Whether a concrete shape fits one that may have free axes. */
export function fits(shape: readonly number[], expected: Shape): boolean {
  return shape.length === expected.length && expected.every((axis, i) => axis === null || axis === shape[i]);
}

/** `[224, 224, 3]`, with `any` for free axes. */
export function describeShape(shape: Shape): string {
  return `[${shape.map((axis) => axis ?? 'any').join(', ')}]`;
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}
