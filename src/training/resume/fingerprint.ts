// Identifies a run, as plain data: options, examples, weights.
import { namedEngine } from '../../core/engineChoice.ts';
import { reshape, slice, tidy } from '@tensorflow/tfjs-core';
import { crc32 } from '../../core/crc32.ts';
import { jsonCopy, type JsonObject } from '../../core/json.ts';
import { describeShape, sizeOf } from '../../core/shapes.ts';
import type { Samples, TrunkWeight } from '../../core/types.ts';
import type { Run } from '../state/plan.ts';
import type { SettledOptions } from '../options/options.ts';
import { unfrozenIn } from './savedState.ts';

/** Number of values of each frozen weight that are compared: another base differs in its first values already. */
const looked = 256;

/** Options that do not influence the weights, or that are described in another way. */
const apart: ReadonlySet<string> = new Set<keyof SettledOptions>([
  'augment',
  'cache',
  'checkpoint',
  'maxSeconds',
  'signal',
  'onProgress',
  'onEpoch',
]);

/**
 * Describes a run. Two runs with the same description end with the same weights, as far as plain data can show:
 * functions are identified by their names only.
 */
export async function fingerprintOf(run: Run): Promise<JsonObject> {
  const { options, rates, model, samples } = run;
  return jsonCopy({
    ...Object.fromEntries(Object.entries(options).filter(([name]) => !apart.has(name))),
    augment: options.augment && { ...options.augment, stopwatch: undefined },
    clip: options.clip?.settings,
    rates,
    blend: run.blend,
    cache: options.cache?.precision ?? 'none',
    cut: model.base.cut,
    ...namedEngine(),
    labels: model.labels,
    train: describeSamples(samples.train),
    validation: samples.validation === undefined ? 'none' : describeSamples(samples.validation),
    weights: await describeWeights(run),
  });
}

function describeSamples(samples: Samples): JsonObject {
  const { size } = samples;
  const targets = Array.from({ length: size }, (_, index) => samples.target(index));
  return { size, targets: checksumOf(new TextEncoder().encode(JSON.stringify(targets))) };
}

/** Shape of each weight, and the epoch from which it is unfrozen, or a hash of its values. */
async function describeWeights(run: Run): Promise<Record<string, string>> {
  const { base, head } = run.model;
  const unfrozen = new Set(unfrozenIn(run));
  const weights = [...base.trunk.weights, ...head.trunk.weights].map(async (weight) => {
    const since = run.segments.find((segment) => segment.unfrozen.includes(weight))?.epoch;
    const state = unfrozen.has(weight) ? `unfrozen in epoch ${String(since)}` : `frozen, ${await contentOf(weight)}`;
    return [weight.name, `${describeShape(weight.shape)} ${state}`] as const;
  });
  return Object.fromEntries(await Promise.all(weights));
}

async function contentOf({ variable, shape }: TrunkWeight): Promise<string> {
  const first = tidy(() => slice(reshape(variable, [-1]), 0, Math.min(looked, sizeOf(shape))));
  try {
    const { buffer, byteOffset, byteLength } = await first.data();
    return checksumOf(new Uint8Array(buffer, byteOffset, byteLength));
  } finally {
    first.dispose();
  }
}

function checksumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
