// The kernels of the module, in the order of their numbers in assembly/index.ts.

/** Names of the kernels. */
export const kernelNames = [
  'combine',
  'packPanels',
  'patchProduct',
  'reduceMiddle',
  'maskGradient',
  'activate',
  'depthwise',
  'filterGradient',
  'filterGradientSum',
  'compare',
  'bothTrue',
  'choose',
  'numbersOfFlags',
  'copyRuns',
  'padPictures',
  'poolRows',
  'largestTaps',
  'maxPoolGradient',
  'normalizationFactors',
  'normalizeRows',
  'updateWeights',
  'depthwiseFilterSums',
  'depthwiseFilterTotal',
  'transformPictures',
  'transformFilters',
  'winogradProduct',
  'winogradGradient',
  'winogradGradientSum',
  'functionGradient',
  'normalizeLayer',
  'layerGradient',
  'softmax',
  'softmaxGradient',
  'multiplyVector',
] as const;

/** Name of a kernel. */
export type KernelName = (typeof kernelNames)[number];
