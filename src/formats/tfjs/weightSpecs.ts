// Checks the list of weights in a model.json: a file may contain anything, so every entry is checked before use.
import type { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { shown } from '../../core/shown.ts';

/** Weights that are stored in the same shards, one after another. */
export interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly io.WeightsManifestEntry[];
}

const dtypes: readonly unknown[] = ['float32', 'int32', 'bool', 'complex64'];
const levels: readonly unknown[] = ['uint8', 'uint16'];

/**
 * Returns the groups of a model.json's weight manifest; none when it has no manifest.
 *
 * @param source - Where the model.json came from, for error texts.
 * @throws TransferKitError `WEIGHTS_DAMAGED` naming the fault.
 */
export function manifestOf(json: object, source: string): ManifestGroup[] {
  const groups: unknown = 'weightsManifest' in json ? json.weightsManifest : undefined;
  if (groups === undefined || groups === null) return [];
  if (!Array.isArray(groups)) throw damaged(source, 'weightsManifest to be a list', groups);
  return groups.map((group: unknown, i) => {
    const name = `weightsManifest[${String(i)}]`;
    if (!isJsonObject(group) || !isTexts(group.paths)) {
      throw damaged(source, `${name} to be { paths, weights }, paths being file names`, group);
    }
    return { paths: group.paths, weights: checkWeightSpecs(group.weights, source, `${name}.weights`) };
  });
}

/**
 * Returns a list of weights that tfjs can decode.
 *
 * @param name - Name of the list in its source, for error texts.
 * @throws TransferKitError `WEIGHTS_DAMAGED` naming the first entry that is wrong.
 */
export function checkWeightSpecs(list: unknown, source: string, name: string): io.WeightsManifestEntry[] {
  if (!Array.isArray(list)) throw damaged(source, `${name} to be a list`, list);
  return list.map((spec: unknown, i) => {
    if (isSpec(spec)) return spec;
    throw damaged(source, `${name}[${String(i)}] to be ${wanted(spec)}`, spec);
  });
}

function isSpec(spec: unknown): spec is io.WeightsManifestEntry {
  return isJsonObject(spec) && faultOf(spec) === undefined;
}

function wanted(spec: unknown): string {
  return isJsonObject(spec) ? `a weight with ${faultOf(spec) ?? 'other fields'}` : 'a weight { name, shape, dtype }';
}

/** Describes the expected value of the first wrong field. */
function faultOf(spec: Readonly<Record<string, unknown>>): string | undefined {
  const { name, shape, dtype, quantization } = spec;
  if (typeof name !== 'string' || name === '') return 'a name';
  if (!Array.isArray(shape) || !shape.every((axis) => Number.isSafeInteger(axis) && Number(axis) >= 0)) {
    return 'a shape of whole numbers from 0';
  }
  if (!dtypes.includes(dtype)) return `a dtype that is one of ${dtypes.join(', ')}`;
  return quantization === undefined || isQuantization(quantization, dtype)
    ? undefined
    : 'a quantization that is { dtype: uint8 or uint16, scale, min }, or { dtype: float16 } for float32';
}

function isQuantization(value: unknown, dtype: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if (value.dtype === 'float16') return dtype === 'float32';
  const isExact = dtype === 'float32' || dtype === 'int32';
  return isExact && levels.includes(value.dtype) && Number.isFinite(value.scale) && Number.isFinite(value.min);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function damaged(source: string, expected: string, found: unknown): TransferKitError {
  const got = found === undefined ? 'nothing' : shown(found);
  const text = `expected ${expected} in ${source}, got ${got}. The weight list is damaged: export or fetch the model again.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, found });
}
