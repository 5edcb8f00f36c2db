// The door `transferkit/layers`: the layers that tfjs lacks, for whoever loads a saved model without transferkit's verbs.
export { registerLayers } from './networks/layers/registerLayers.ts';
