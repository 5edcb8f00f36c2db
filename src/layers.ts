// The door `transferkit/layers`: layers that tfjs lacks, for programs that load a saved model with plain tfjs.
export { registerLayers } from './networks/layers/registerLayers.ts';
