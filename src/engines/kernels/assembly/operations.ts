// Operations on four values at once, as types: a loop that is generic in them is compiled once for each, without a choice
// inside.

export class Add {}
export class Multiply {}
export class Subtract {}
/** The second minus the first. */
export class SubtractFrom {}
export class Divide {}
/** The second divided by the first. */
export class DivideInto {}
/** The second alone. */
export class Second {}
/** NaN where there is one. */
export class Largest {}

/** What an operation makes of two times four values. */
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
