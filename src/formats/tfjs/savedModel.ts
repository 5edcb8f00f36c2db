// The fields that transferkit adds to a model.json, and how they are read back.
import { TransferKitError } from '../../core/errors.ts';
import { isJsonList, isJsonObject, textOf, type Json, type JsonObject } from '../../core/json.ts';
import { layOut, unitsOf } from '../../model/headParts.ts';
import type { HeadPart, PreprocessorSpec, Tasks } from '../../model/model.ts';
import { isTaskName, type TaskName } from '../../model/tasks/tasks.ts';
import type { TrainingLog } from '../../core/logs.ts';
import type { ModelArtefact } from './modelArtefact.ts';

/** The fields of transferkit in a saved model, under `userDefinedMetadata.transferkit`. */
export interface SavedModel {
  readonly version: 1;
  /** By head for a model with several; so are labels and logits. */
  readonly task: TaskName | Tasks;
  readonly labels: readonly string[] | Readonly<Record<string, readonly string[]>>;
  readonly preprocessor: PreprocessorSpec;
  readonly base: { readonly name: string; readonly cut: string };
  /**
   * Layer whose output is the logits, and whether training has changed the head; for a GraphModel also the head's
   * layers, which its nodes do not contain.
   */
  readonly head: {
    readonly logits: string | Readonly<Record<string, string>>;
    readonly trained: boolean;
    readonly topology?: JsonObject;
  };
  /**
   * Probabilities above which labels are chosen, for each logit; by head for a model with several. Missing: one half.
   */
  readonly thresholds?: readonly number[] | Readonly<Record<string, readonly number[]>>;
  /** Names of the weights that are not frozen. */
  readonly unfrozen: readonly string[];
  readonly history: readonly TrainingLog[];
}

/** The fields of transferkit in a base that `writeBase` wrote, in the same place. */
export interface SavedBase extends Pick<SavedModel, 'version' | 'preprocessor' | 'base'> {
  readonly kind: 'base';
}

/** One of the heads of a saved model. */
export interface SavedHead {
  readonly part: HeadPart;
  /** Layer whose output is the logits. */
  readonly logits: string;
}

/**
 * Returns the fields of transferkit in a whole model, or undefined for any other model.
 *
 * @throws TransferKitError `NOT_A_MODEL` when they are damaged or of a later version, `UNSUPPORTED_SOURCE` when they are
 * those of a base.
 */
export function savedModelOf(artefact: ModelArtefact): SavedModel | undefined {
  const saved = savedOf(artefact);
  if (saved === undefined || 'head' in saved) return saved;
  const { source } = artefact;
  const text =
    `expected a model with a head in ${source}, got the base '${saved.base.name}' that writeBase wrote. Load it with ` +
    'loadBase, and give it a head with replaceHead.';
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { source, kind: 'base' });
}

/**
 * Returns the fields of transferkit in a whole model or a base, or undefined for any other model.
 *
 * @throws TransferKitError `NOT_A_MODEL` when they are damaged or of a later version.
 */
export function savedOf(artefact: ModelArtefact): SavedModel | SavedBase | undefined {
  const saved: unknown = artefact.metadata.transferkit;
  if (saved === undefined) return undefined;
  if (isSavedModel(saved) || isSavedBase(saved)) return saved;
  const version = isJsonObject(saved) ? textOf(saved.version) : 'none';
  const [damaged] = isJsonObject(saved) && saved.version === 1 ? wrongFields(saved) : [];
  const got = damaged === undefined ? `version ${version}` : `a damaged field '${damaged}'`;
  throw new TransferKitError(
    'NOT_A_MODEL',
    `expected metadata of transferkit in version 1 in ${artefact.source}, got ${got}. ` +
      'Update transferkit, or save the model again.',
    { source: artefact.source, version, damaged },
  );
}

/** Returns the heads of a saved model in their order. */
export function savedHeads({ task, labels, head, thresholds }: SavedModel): SavedHead[] {
  const names = typeof task === 'string' ? [''] : Object.keys(task);
  const found = names.map((name) => {
    const own = {
      name,
      task: (typeof task === 'string' ? task : task[name]) ?? 'classes',
      labels: (isTexts(labels) ? labels : labels[name]) ?? [],
      logits: (typeof head.logits === 'string' ? head.logits : head.logits[name]) ?? '',
    };
    return { ...own, units: unitsOf(own) };
  });
  return layOut(found).map((part, place) => {
    const own = isShares(thresholds) ? thresholds : thresholds?.[part.name];
    return { part: { ...part, ...(own && { thresholds: own }) }, logits: found[place]?.logits ?? '' };
  });
}

function isSavedModel(value: unknown): value is SavedModel {
  return isJsonObject(value) && value.version === 1 && !isOfBase(value) && wrongFields(value).length === 0;
}

function isSavedBase(value: unknown): value is SavedBase {
  return isJsonObject(value) && value.version === 1 && isOfBase(value) && wrongFields(value).length === 0;
}

function isOfBase({ kind }: JsonObject): boolean {
  return kind === 'base';
}

/** Names of the fields that `save` or `writeBase` would not write like this. */
function wrongFields(fields: JsonObject): string[] {
  const { task, labels, preprocessor, base, head, thresholds, unfrozen, history } = fields;
  // One value for each head where `task` has one for each.
  const fits = (field: Json | undefined, isRight: (value: unknown) => boolean) =>
    isJsonObject(task)
      ? isJsonObject(field) && Object.keys(task).every((name) => isRight(field[name]))
      : isRight(field);
  const ofBase = {
    preprocessor: isJsonObject(preprocessor) && typeof preprocessor.kind === 'string',
    base: isJsonObject(base) && typeof base.cut === 'string' && typeof base.name === 'string',
  };
  const ofModel = {
    task: fits(task, isTaskName) && !(isJsonObject(task) && isEmpty(task)),
    labels: fits(labels, isTexts),
    head: isJsonObject(head) && isHead(head) && fits(head.logits, (value) => typeof value === 'string'),
    thresholds: thresholds === undefined || areThresholds(thresholds, isJsonObject(task)),
    unfrozen: isTexts(unfrozen),
    history: isJsonList(history) && history.every(isJsonObject),
  };
  const right: Readonly<Record<string, boolean>> = isOfBase(fields) ? ofBase : { ...ofModel, ...ofBase };
  return Object.keys(right).filter((field) => right[field] !== true);
}

function isHead({ trained, topology }: JsonObject): boolean {
  return typeof trained === 'boolean' && (topology === undefined || isJsonObject(topology));
}

function isEmpty(record: JsonObject): boolean {
  return Object.keys(record).length === 0;
}

function areThresholds(value: Json, byHead: boolean): boolean {
  return byHead ? isJsonObject(value) && Object.values(value).every(isShares) : isShares(value);
}

function isShares(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number' && each >= 0 && each <= 1);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
