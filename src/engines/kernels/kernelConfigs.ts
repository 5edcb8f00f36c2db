// Every tfjs kernel that this package replaces or adds on wasm with its own module.
import { activationMakers } from './activations.ts';
import { convolutionMakers } from './convolution.ts';
import { convolutionFilterGradientMaker } from './convolutionFilterGradient.ts';
import { convolutionInputGradientMaker } from './convolutionInputGradient.ts';
import { copyMakers } from './copies.ts';
import { depthwiseMakers } from './depthwise.ts';
import { depthwiseFilterGradientMaker } from './depthwiseFilterGradient.ts';
import { elementwiseMakers } from './elementwise.ts';
import { flagMakers } from './flags.ts';
import { fusedGradientMakers } from './fusedGradients.ts';
import { gatheredConvolutionMaker } from './gatheredConvolution.ts';
import type { KernelMaker } from './kernelMaker.ts';
import { layerNormMakers } from './layerNorm.ts';
import { matMulMakers } from './matMul.ts';
import { normalizationMaker } from './normalization.ts';
import { poolingMakers } from './pooling.ts';
import { reductionMakers } from './reductions.ts';
import { softmaxMakers } from './softmax.ts';
import { transformMaker } from './transform.ts';
import { updateWeightsMaker } from './updateWeights.ts';

/** All of these kernels. */
export const kernelMakers: readonly KernelMaker[] = [
  ...matMulMakers,
  ...convolutionMakers,
  gatheredConvolutionMaker,
  convolutionInputGradientMaker,
  convolutionFilterGradientMaker,
  ...elementwiseMakers,
  ...activationMakers,
  ...reductionMakers,
  ...flagMakers,
  ...copyMakers,
  ...poolingMakers,
  normalizationMaker,
  ...layerNormMakers,
  ...softmaxMakers,
  updateWeightsMaker,
  ...depthwiseMakers,
  depthwiseFilterGradientMaker,
  ...fusedGradientMakers,
  transformMaker,
];
