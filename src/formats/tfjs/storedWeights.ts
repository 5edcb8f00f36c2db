// Weights as they lie one behind the other in the shards of a tfjs model, decoded one at a time.
import { io, type Tensor } from '@tensorflow/tfjs-core';
import { internalError, TransferKitError } from '../../core/errors.ts';
import { weightBytes } from '../../core/weightBytes.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../../core/weightSource.ts';

/**
 * The weights whose names pass `wanted`. The shards stay as they are: each weight is cut out of them when it is read.
 *
 * @param source - Where they came from, for messages.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when a name comes twice.
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

/** A copy of `length` bytes from `start` on, which may lie in several shards. */
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

/** Of two weights with one name nobody can tell which is meant. */
function repeated(source: string, name: string): TransferKitError {
  const text =
    `expected each weight once in ${source}, got '${name}' twice. Nested models whose layers share a name are saved like ` +
    'that: rename the layers, or hand in the LayersModel itself.';
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, name });
}
