// Constants of functions, in the memory after the parameters (../functionConstants.ts). V8 would build vectors of
// constants anew in each iteration of a loop, with several instructions.

/** Bytes from the parameters of a kernel to the constants. */
const CONSTANTS: usize = 768;

// Offsets in bytes.
export const ONE: usize = CONSTANTS;
/** Bounds of the argument of the exponential. */
export const LEAST: usize = CONSTANTS + 4;
export const MOST: usize = CONSTANTS + 8;
export const MINUS_LOG2_E: usize = CONSTANTS + 12;
export const ROUNDING: usize = CONSTANTS + 16;
export const LN2_HIGH: usize = CONSTANTS + 20;
export const LN2_LOW: usize = CONSTANTS + 24;
export const EXPONENT_BIAS: usize = CONSTANTS + 28;
/** Five coefficients of the exponential, the highest power first. */
export const EXPONENTIAL: usize = CONSTANTS + 32;
export const HALF: usize = CONSTANTS + 52;
/** Nine coefficients of the normal distribution's tail, the highest power first. */
export const TAIL: usize = CONSTANTS + 56;
export const TAIL_SCALE: usize = CONSTANTS + 92;
export const NORMAL_PEAK: usize = CONSTANTS + 96;
export const TANH_CUBIC: usize = CONSTANTS + 100;
export const TANH_LINEAR: usize = CONSTANTS + 104;
export const THREE: usize = CONSTANTS + 108;
export const SIX: usize = CONSTANTS + 112;
export const SIXTH: usize = CONSTANTS + 116;
export const FIFTH: usize = CONSTANTS + 120;
/** A power of two close to the largest number. */
export const LARGE: usize = CONSTANTS + 124;
