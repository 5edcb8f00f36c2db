// Converts kept examples to plain data for JSON, and back.
import { cast, concat, reshape, slice, tidy } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject, jsonCopy } from '../core/json.ts';
import type { PreprocessorSpec } from '../model/model.ts';
import type { Trunk } from '../core/types.ts';
import { differencesOf, listed } from '../core/differences.ts';
import { invalidOption } from '../core/optionChecks.ts';
import { shorten, shown } from '../core/shown.ts';
import { featurePoolings, type FeaturePooling } from '../features/poolFeatures.ts';
import type { BaseFeatures } from './baseFeatures.ts';
import type { KeptExample } from './exampleMemory.ts';
import { vectorOf } from './separation.ts';

/** The examples that a classifier keeps, as plain data. `toJSON` returns it; the option `examples` takes it. */
export interface ExampleSet {
  readonly version: 1;
  /** The conditions under which the features were computed. */
  readonly origin: ExampleOrigin;
  /** The id of the example that is added next. */
  readonly nextId: number;
  /** Sorted by id. */
  readonly examples: readonly SavedExample[];
}

/** An example as plain data. */
export interface SavedExample {
  readonly id: number;
  readonly label: string;
  readonly features: readonly number[];
}

/** Kept examples, and the id of the next one. */
export interface RestoredExamples {
  readonly examples: readonly KeptExample[];
  readonly nextId: number;
}

/** The conditions that features depend on. */
export interface ExampleOrigin {
  /** Name of the base. Features of bases with different names may be combined. */
  readonly base: string;
  readonly cut: string;
  readonly preprocessor: PreprocessorSpec;
  /** `null` for features without axes to pool over. */
  readonly pooling: 'average' | 'max' | 'both' | 'flatten' | null;
  /** Number of values of one example. */
  readonly width: number;
  /** The first value of each weight of the base. */
  readonly weights: readonly number[];
}

/** Tolerance for weights in half precision, which some devices use. */
const tolerance = 2e-3;

/** The conditions for the features of a base in its current state. */
export async function originOf({ base, pooling, width }: BaseFeatures): Promise<ExampleOrigin> {
  const { name, cut, preprocessor, trunk } = base;
  const weights = await firstValues(trunk);
  return { base: name, cut, preprocessor: preprocessor.spec, pooling: pooling ?? null, width, weights };
}

/** Converts examples to plain data. */
export function saveExamples(origin: ExampleOrigin, examples: readonly KeptExample[], nextId: number): ExampleSet {
  const saved = examples.map(({ id, label, values }) => ({ id, label, features: Array.from(values, shortest) }));
  return { version: 1, origin, nextId, examples: saved };
}

/**
 * Reads examples from plain data.
 *
 * @throws TransferKitError `INVALID_OPTION` for data that is no set of examples, `EXAMPLES_MISMATCH` for features of
 * another base.
 */
export function restoreExamples(set: unknown, here: ExampleOrigin): RestoredExamples {
  if (!isJsonObject(set) || set.version !== 1 || !isJsonObject(set.origin) || !isJsonList(set.examples)) {
    throw invalidOption('examples to be the result of toJSON of a classifier', set, kindOf(set));
  }
  assertSameOrigin(here, set.origin);
  const { nextId } = set;
  const examples = set.examples.map((each) => restoreExample(each, here.width));
  const bad = examples.findIndex((each, i) => each === undefined || each.id <= (examples[i - 1]?.id ?? -1));
  if (bad >= 0) {
    const expected = `every example to have an id above the one before it, a label and ${String(here.width)} finite features`;
    throw invalidOption(expected, set.examples[bad], `another at place ${String(bad)}`);
  }
  const kept = examples.filter((each) => each !== undefined);
  if (!isWhole(nextId) || nextId <= (kept.at(-1)?.id ?? -1)) {
    throw invalidOption('nextId to be above every id', nextId);
  }
  return { examples: kept, nextId };
}

/** The pooling that kept features were computed with, if any. */
export function savedPooling(set: unknown): FeaturePooling | undefined {
  if (!isJsonObject(set) || !isJsonObject(set.origin)) return undefined;
  const { pooling } = set.origin;
  return featurePoolings.find((each) => each === pooling);
}

/** An example from plain data. Undefined if it is invalid. */
function restoreExample(given: Json, width: number): KeptExample | undefined {
  if (!isJsonObject(given) || !isJsonList(given.features)) return undefined;
  const { id, label } = given;
  const values = Float32Array.from(given.features, (value) => (typeof value === 'number' ? value : NaN));
  const isExample = values.length === width && values.every(Number.isFinite);
  if (!isExample || !isWhole(id) || typeof label !== 'string' || label === '') return undefined;
  return { id, label, ...vectorOf(values) };
}

/** Raises if features were computed under other conditions. */
function assertSameOrigin(here: ExampleOrigin, there: JsonObject): void {
  const { base, weights, ...compared } = here;
  const { base: otherBase, weights: otherWeights, ...other } = there;
  const differences = differencesOf(jsonCopy(compared), other);
  if (!areAlike(weights, otherWeights)) differences.push('the weights of the base');
  if (differences.length === 0) return;
  const text =
    `expected examples whose features come from '${base}' as it is now, got some of ${shown(otherBase)} that differ ` +
    `in ${listed(differences)}. Load the base that made them, or add the examples anew.`;
  throw new TransferKitError('EXAMPLES_MISMATCH', text, { differences });
}

function areAlike(here: readonly number[], there: Json | undefined): boolean {
  if (!isJsonList(there) || there.length !== here.length) return false;
  return here.every((value, i) => {
    const other = there[i];
    return typeof other === 'number' && Math.abs(value - other) <= tolerance * Math.abs(value) + 1e-6;
  });
}

/** The first value of each weight. All weights are read at once. */
async function firstValues({ weights }: Trunk): Promise<number[]> {
  if (weights.length === 0) return [];
  const first = tidy(() =>
    concat(weights.map(({ variable }) => slice(cast(reshape(variable, [-1]), 'float32'), 0, 1))),
  );
  try {
    return Array.from(await first.data(), shortest);
  } finally {
    first.dispose();
  }
}

/** The number with nine digits that rounds to the same float32. */
function shortest(value: number): number {
  return Number(value.toPrecision(9));
}

function isWhole(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function kindOf(value: unknown): string {
  if (isJsonObject(value)) return `an object with ${shorten(Object.keys(value).join(', ')) || 'nothing in it'}`;
  return Array.isArray(value) ? 'a list' : typeof value;
}
