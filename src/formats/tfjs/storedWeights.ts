// Decodes weights from the shards of a tfjs model, one at a time. They are stored one after another.
import { io, type Tensor } from '@tensorflow/tfjs-core';
import { internalError, TransferKitError } from '../../core/errors.ts';
import { weightBytes } from '../../core/weightBytes.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../../core/weightSource.ts';

/**
 * Returns the weights whose names pass `wanted`. The shards stay unchanged: each weight is copied from them on demand.
 *
 * @param source - Where they came from, for error texts.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when a name is repeated.
 */
export function storedWeights(
  source: string,
  shards: readonly Uint8Array[],
  specs: readonly io.WeightsManifestEntry[],
  wanted: (name: string) => boolean,
): WeightSource {
  const entries = new Map<string, WeightEntry>();
  let offset = 0;
  for (const spec of specs) {
    const start = offset;
    offset += weightBytes(spec);
    if (!wanted(spec.name)) continue;
    if (entries.has(spec.name)) throw repeated(source, spec.name);
    entries.set(spec.name, { shape: spec.shape, read: () => decode(shards, spec, start) });
  }
  return sourceOf(entries);
}

function decode(shards: readonly Uint8Array[], spec: io.WeightsManifestEntry, start: number): Tensor {
  const tensor = io.decodeWeights(cutOut(shards, start, weightBytes(spec)), [spec])[spec.name];
  if (tensor === undefined) throw internalError(`no weight ${spec.name}`);
  return tensor;
}

/** Copies `length` bytes from `start` on, which may be in several shards. */
function cutOut(shards: readonly Uint8Array[], start: number, length: number): ArrayBuffer {
  const bytes = new Uint8Array(length);
  let shardStart = 0;
  for (const shard of shards) {
    const from = Math.max(start, shardStart);
    const to = Math.min(start + length, shardStart + shard.length);
    if (from < to) bytes.set(shard.subarray(from - shardStart, to - shardStart), from - start);
    shardStart += shard.length;
  }
  return bytes.buffer;
}

/** With two weights of one name, it is unknown which one is meant. */
function repeated(source: string, name: string): TransferKitError {
  const text =
    `expected each weight once in ${source}, got '${name}' twice. Nested models whose layers share a name are saved like ` +
    'that: rename the layers, or hand in the LayersModel itself.';
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, name });
}
