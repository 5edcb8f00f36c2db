// Shapes of operations on values of unequal shapes.
import type { Shape } from '../../core/types.ts';

/** The shape of a result by NumPy's rule: axes are aligned at the end, and those of length 1 repeat. */
export function broadcast(shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => (axis < rank - shape.length ? 1 : (shape[axis - rank + shape.length] ?? null)));
    return sizes.find((size) => size !== 1) ?? (sizes.includes(null) ? null : 1);
  });
}
