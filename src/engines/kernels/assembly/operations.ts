// Operations on four values at once, as types: a generic loop is compiled once for each operation, without a branch
// inside.

export class Add {}
export class Multiply {}
export class Subtract {}
/** The second minus the first. */
export class SubtractFrom {}
export class Divide {}
/** The second divided by the first. */
export class DivideInto {}
/** Only the second. */
export class Second {}
/** The larger one; NaN if one is NaN. */
export class Largest {}

/** Applies an operation to four pairs of values. */
export function combined<Operation>(a: v128, b: v128): v128 {
  if (idof<Operation>() == idof<Add>()) return f32x4.add(a, b);
  if (idof<Operation>() == idof<Multiply>()) return f32x4.mul(a, b);
  if (idof<Operation>() == idof<Subtract>()) return f32x4.sub(a, b);
  if (idof<Operation>() == idof<SubtractFrom>()) return f32x4.sub(b, a);
  if (idof<Operation>() == idof<Divide>()) return f32x4.div(a, b);
  if (idof<Operation>() == idof<DivideInto>()) return f32x4.div(b, a);
  if (idof<Operation>() == idof<Second>()) return b;
  return f32x4.max(a, b);
}
