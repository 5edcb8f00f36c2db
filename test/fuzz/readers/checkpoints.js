// Checkpoints of training: the file as it is, under its checksum, and its parts with the sum made right, as `resume` meets them.
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { jsonBytes, tensors, wave } from './values.js';

export const checkpoints = {
  name: 'checkpoint',
  share: 2,
  open: async (api) => {
    await api.useBackend('cpu');
    const train = trainingOf(api);
    const files = new Map();
    await train({ epochs: 2, checkpoint: { to: storeOf(files) } });
    const [[name, whole]] = files;
    const read = ({ checkpoint }) =>
      train({ epochs: 2, checkpoint: { to: storeOf(new Map([[name, checkpoint]])) }, resume: true });
    const pack = (parts) => ({ checkpoint: joined(api, parts) ?? whole });
    const seeds = [
      { name: 'file', files: { checkpoint: whole }, ranges: { checkpoint: 'all' } },
      { name: 'parts', files: partsOf(api, whole), pack },
    ];
    return { seeds, tensors, read };
  },
};

/** Trains a small head, and gives the weights that come of it. */
function trainingOf({ fromArrays, loadBase, replaceHead, trainHead }) {
  const samples = fromArrays({ inputs: Array.from({ length: 6 }, (_, i) => wave(3, i)), targets: [...'ababab'] });
  return async (options) => {
    const layers = ['first', 'last'].map((name) => tfl.layers.dense({ name, units: 3, inputShape: [3] }));
    const network = tfl.sequential({ name: 'line', layers });
    const model = replaceHead(await loadBase(network, { weights: null, seed: 1 }), {
      labels: ['a', 'b'],
      hidden: [3],
      seed: 1,
    });
    network.dispose();
    try {
      await trainHead(model, samples, { solver: 'gradient', seed: 1, batchSize: 3, ...options });
      return Float32Array.from(model.head.trunk.weights.flatMap(({ variable }) => [...variable.dataSync()]));
    } finally {
      model.dispose();
      tf.disposeVariables();
    }
  };
}

function storeOf(files) {
  return {
    list: async () => [...files.keys()],
    read: async (name) => files.get(name),
    write: async (name, bytes) => void files.set(name, bytes.slice()),
    remove: async (name) => void files.delete(name),
  };
}

function partsOf({ decodeCheckpoint }, whole) {
  const length = Number(new DataView(whole.buffer, whole.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)));
  // The text has marks for numbers that JSON has not.
  const state = JSON.parse(header.__metadata__.state);
  const held = [...decodeCheckpoint('seed', whole).tensors];
  const described = held.map(([name, { shape, values }]) => [name, { shape, values: [...values] }]);
  return { 'state.json': jsonBytes(state), 'tensors.json': jsonBytes(Object.fromEntries(described)) };
}

/** A checkpoint of damaged parts; undefined where these cannot be written as one. */
function joined({ encodeCheckpoint }, parts) {
  try {
    const [state, described] = ['state.json', 'tensors.json'].map((name) =>
      JSON.parse(new TextDecoder().decode(parts[name])),
    );
    const held = Object.entries(described).map(([name, { shape, values }]) => [
      name,
      { shape, values: Float32Array.from(values) },
    ]);
    return encodeCheckpoint({ state, tensors: new Map(held) });
  } catch {
    return undefined;
  }
}
