// Every tfjs kernel that this package replaces or adds on wasm with its own module.
import { convolutionMakers } from './convolution.ts';
import { convolutionInputGradientMaker } from './convolutionInputGradient.ts';
import type { KernelMaker } from './kernelMaker.ts';
import { matMulMakers } from './matMul.ts';

/** All of them. */
export const kernelMakers: readonly KernelMaker[] = [
  ...matMulMakers,
  ...convolutionMakers,
  convolutionInputGradientMaker,
];
