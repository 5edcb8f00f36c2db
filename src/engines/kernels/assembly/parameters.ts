// Access to the parameters of kernels, and arithmetic that all kernels use.

/** A parameter: an address, a size or a count. */
export function word(parameters: usize, index: i32): i32 {
  return load<i32>(parameters + ((<usize>index) << 2));
}

/** A parameter that is a fraction. */
export function real(parameters: usize, index: i32): f32 {
  return load<f32>(parameters + ((<usize>index) << 2));
}

/** a · b + c, with a single rounding if the module is built with relaxed SIMD. */
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<f32>(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}
