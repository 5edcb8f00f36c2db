// Keras's .h5: whole models, read in place and from bytes, with plain, packed and checked chunks; and files of weights alone.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import * as h5wasm from 'h5wasm/node';
import { takeOutputs, tensors, wave } from './values.js';

const golden = (name) => new Uint8Array(readFileSync(new URL(`../../golden/keras/${name}`, import.meta.url)));

export const hdf5 = {
  name: '.h5',
  share: 3,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    await h5wasm.ready;
    const seeds = [
      ...['sequential.h5', 'functional.h5'].map((name) => ({ name, files: { 'model.h5': golden(name) } })),
      chunked('gzip', folder, { chunks: [8, 8], compression: 4 }, packedRanges),
      chunked('fletcher32', folder, { chunks: [8, 8], compression: [['fletcher32']] }, plainRanges),
    ];
    return { seeds, tensors, read: bothWays(folder, async (source) => takeOutputs(await api.loadBase(source))) };
  },
};

export const hdf5Weights = {
  name: '.weights.h5',
  share: 2,
  open: async (api, folder) => {
    await api.useBackend('cpu');
    const names = ['sequential.weights.h5', 'unnamed.weights.h5', 'functional_weights.h5', 'keras1.h5', 'renamed.h5'];
    const seeds = names.map((name) => ({ name, files: { 'model.h5': golden(name) } }));
    const read = bothWays(folder, async (source) => {
      const file = await (typeof source === 'string' ? api.loadKerasFile(source) : api.readKerasFile(source, 'bytes'));
      return Float32Array.from(file.layers.flatMap(({ weights }) => weights.flatMap((weight) => [...weight.read()])));
    });
    return { seeds, tensors, read };
  },
};

/** Half of the inputs are read in place on a disk, half from memory: the length tells. */
function bothWays(folder, read) {
  const path = join(folder, 'model.h5');
  return async ({ 'model.h5': bytes }) => {
    if (bytes.length % 2 === 1 || (bytes[bytes.length >> 1] ?? 0) % 2 === 1) return read(bytes);
    writeFileSync(path, bytes);
    try {
      return await read(path);
    } finally {
      rmSync(path);
    }
  };
}

/** A model of two layers, the first one's kernel in chunks. */
function chunked(name, folder, options, rangesOf) {
  const path = join(folder, `${name}.h5`);
  const layer = (each, units, more) => ({
    class_name: 'Dense',
    config: { name: each, units, use_bias: false, activation: 'linear', ...more },
  });
  const layers = [layer('d1', 8, { batch_input_shape: [null, 16] }), layer('d2', 2, {})];
  const kernel = wave(128);
  const file = new h5wasm.File(path, 'w');
  file.create_attribute('keras_version', '2.9.0');
  file.create_attribute('backend', 'tensorflow');
  file.create_attribute('model_config', JSON.stringify({ class_name: 'Sequential', config: { name: 's', layers } }));
  const root = file.create_group('model_weights');
  root.create_attribute('layer_names', ['d1', 'd2']);
  for (const [each, data, shape] of [
    ['d1', kernel, [16, 8]],
    ['d2', wave(16, 1), [8, 2]],
  ]) {
    const group = root.create_group(each);
    group.create_attribute('weight_names', [`${each}/kernel:0`]);
    group.create_group(each).create_dataset({ name: 'kernel:0', data, shape, ...(each === 'd1' && options) });
  }
  file.close();
  const bytes = new Uint8Array(readFileSync(path));
  rmSync(path);
  return { name, files: { 'model.h5': bytes }, ranges: { 'model.h5': rangesOf(bytes, kernel) } };
}

const chunkValues = 64;

/** Where zlib's streams lie, whose Adler-32 ends them. */
function packedRanges(bytes) {
  return [...bytes.keys()]
    .filter((at) => bytes[at] === 0x78)
    .flatMap((at) => {
      try {
        const { buffer, engine } = inflateSync(bytes.subarray(at), { info: true });
        return buffer.length === chunkValues * 4 ? [[at, at + engine.bytesWritten]] : [];
      } catch {
        return [];
      }
    });
}

/** Where the values lie as they are, with four bytes of Fletcher's sum behind them. */
function plainRanges(bytes, kernel) {
  const whole = Buffer.from(kernel.buffer);
  const size = chunkValues * 4;
  return [0, size].map((from) => {
    const at = Buffer.from(bytes).indexOf(whole.subarray(from, from + size));
    return [at, at + size + 4];
  });
}
