// What transferkit writes into a model.json beside tfjs's own fields, and how it is read back.
import { TransferKitError } from '../core/errors.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { PreprocessorSpec, Task } from '../core/model.ts';
import type { TrainingLog } from '../core/types.ts';
import type { ModelArtefact } from './modelArtefact.ts';

/** Our part of a saved model, under `userDefinedMetadata.transferkit`. */
export interface SavedModel {
  readonly version: 1;
  readonly task: Task;
  readonly labels: readonly string[];
  readonly preprocessor: PreprocessorSpec;
  readonly base: { readonly name: string; readonly cut: string };
  /**
   * Layer whose output is the logits, and whether training has moved the head; behind a GraphModel also the head's
   * layers, which its nodes no longer tell.
   */
  readonly head: { readonly logits: string; readonly trained: boolean; readonly topology?: JsonObject };
  /** Names of the weights that are not frozen. */
  readonly unfrozen: readonly string[];
  readonly history: readonly TrainingLog[];
}

const tasks: readonly string[] = ['classes', 'binary', 'multiLabel', 'regression'];

/**
 * The part that transferkit saved, or undefined for any other model.
 *
 * @throws TransferKitError `NOT_A_MODEL` when it is damaged or of a later version.
 */
export function savedModelOf(artefact: ModelArtefact): SavedModel | undefined {
  const saved: unknown = artefact.metadata.transferkit;
  if (saved === undefined) return undefined;
  if (isSavedModel(saved)) return saved;
  const version = isJsonObject(saved) ? String(saved.version) : 'none';
  const [damaged] = isJsonObject(saved) && saved.version === 1 ? wrongFields(saved) : [];
  const got = damaged === undefined ? `version ${version}` : `a damaged field '${damaged}'`;
  throw new TransferKitError(
    'NOT_A_MODEL',
    `expected metadata of transferkit in version 1 in ${artefact.source}, got ${got}. ` +
      'Update transferkit, or save the model again.',
    { source: artefact.source, version, damaged },
  );
}

function isSavedModel(value: unknown): value is SavedModel {
  return isJsonObject(value) && value.version === 1 && wrongFields(value).length === 0;
}

/** Names of the fields that are not what `save` writes. */
function wrongFields({ task, labels, preprocessor, base, head, unfrozen, history }: JsonObject): string[] {
  const right: Readonly<Record<string, boolean>> = {
    task: tasks.includes(String(task)),
    labels: isTexts(labels),
    preprocessor: isJsonObject(preprocessor),
    base: isJsonObject(base) && typeof base.cut === 'string',
    head: isJsonObject(head) && typeof head.logits === 'string',
    unfrozen: isTexts(unfrozen),
    history: isJsonList(history),
  };
  return Object.keys(right).filter((field) => right[field] !== true);
}

function isTexts(value: Json | undefined): boolean {
  return isJsonList(value) && value.every((each) => typeof each === 'string');
}
