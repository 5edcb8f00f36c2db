// Keras's .h5: whole models, read in place and from bytes; and files of weights alone, with plain, packed and checked chunks.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { takeOutputs, tensors } from './values.js';

const golden = (name) => new Uint8Array(readFileSync(new URL(`../../golden/keras/${name}`, import.meta.url)));

export const hdf5 = {
  name: '.h5',
  share: 3,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const seeds = ['sequential.h5', 'functional.h5'].map((name) => ({ name, files: { 'model.h5': golden(name) } }));
    return { seeds, tensors, read: bothWays(folder, async (source) => takeOutputs(await api.loadBase(source))) };
  },
};

export const hdf5Weights = {
  name: '.weights.h5',
  share: 2,
  open: async (api, folder) => {
    await api.useBackend('cpu');
    const names = ['sequential.weights.h5', 'unnamed.weights.h5', 'functional_weights.h5', 'keras1.h5', 'renamed.h5'];
    const seeds = [
      ...names.map((name) => ({ name, files: { 'model.h5': golden(name) } })),
      chunked('gzip', packedRanges),
      { ...chunked('fletcher32', plainRanges), isVisible },
    ];
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

/** Weights whose values lie in chunks with checksums. */
function chunked(name, rangesOf) {
  const bytes = new Uint8Array(readFileSync(new URL(`../../golden/hdf5/${name}.weights.h5`, import.meta.url)));
  return { name, files: { 'model.h5': bytes }, ranges: { 'model.h5': rangesOf(bytes) } };
}

/** Bytes of a chunk's values. */
const chunkBytes = 48;

/** Where zlib's streams lie, whose Adler-32 ends them. */
function packedRanges(bytes) {
  return [...bytes.keys()]
    .filter((at) => bytes[at] === 0x78)
    .flatMap((at) => {
      try {
        const { buffer, engine } = inflateSync(bytes.subarray(at), { info: true });
        return buffer.length === chunkBytes ? [[at, at + engine.bytesWritten]] : [];
      } catch {
        return [];
      }
    });
}

/**
 * Whether a checksum disagrees with its values, by the definition of Fletcher-32: it does not tell 0x0000 from 0xffff, and a
 * chunk that is zeros throughout, its sum included, is right.
 */
function isVisible(before, after) {
  return plainRanges(before).some(([from, to]) => {
    const view = new DataView(after.buffer, after.byteOffset + from, to - from);
    let [sum, sums] = [0, 0];
    for (let at = 0; at < chunkBytes; at += 2) {
      sum = (sum + view.getUint16(at)) % 0xffff;
      sums = (sums + sum) % 0xffff;
    }
    return view.getUint16(chunkBytes, true) % 0xffff !== sum || view.getUint16(chunkBytes + 2, true) % 0xffff !== sums;
  });
}

/** Where the values lie as they are, with four bytes of Fletcher's sum behind them. */
function plainRanges(bytes) {
  const first = Buffer.from(Float32Array.of(1 / 7, 2 / 7).buffer);
  const ranges = [];
  for (let at = Buffer.from(bytes).indexOf(first); at >= 0; at = Buffer.from(bytes).indexOf(first, at + 1)) {
    ranges.push([at, at + chunkBytes + 4]);
  }
  return ranges;
}
