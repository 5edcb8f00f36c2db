// The door `transferkit/layers`: the layers that tfjs lacks, for whoever loads a saved model without transferkit's verbs.
export { registerLayers } from './layers/registerLayers.ts';
export { ActivationOf } from './layers/activationOf.ts';
export { GlobalAveragePooling2DKeepDims, GlobalMaxPooling2DKeepDims } from './layers/globalPooling.ts';
export { GroupedConv2D } from './layers/groupedConv2D.ts';
export { HalfPixelResizing } from './layers/resizing.ts';
export { Normalization } from './layers/normalization.ts';
export { AddConstant, CustomScaleLayer, LayerScale, MultiplyConstant } from './layers/scaling.ts';
export type { LayerConfig } from './layers/layerConfig.ts';
