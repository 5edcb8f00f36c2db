// What transferkit writes into a model.json beside tfjs's own fields, and how it is read back.
import { TransferKitError } from '../core/errors.ts';
import { isJsonObject } from '../core/json.ts';
import type { PreprocessorSpec, Task, TrainingLog } from '../core/types.ts';
import type { ModelArtefact } from './modelArtefact.ts';

/** Our part of a saved model, under `userDefinedMetadata.transferkit`. */
export interface SavedModel {
  readonly version: 1;
  readonly task: Task;
  readonly labels: readonly string[];
  readonly preprocessor: PreprocessorSpec;
  readonly base: { readonly name: string; readonly cut: string };
  /** Layer whose output is the logits, and whether training has moved the head. */
  readonly head: { readonly logits: string; readonly trained: boolean };
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
  throw new TransferKitError(
    'NOT_A_MODEL',
    `expected metadata of transferkit in version 1 in ${artefact.source}, got version ${version}. ` +
      'Update transferkit, or save the model again.',
    { source: artefact.source, version },
  );
}

function isSavedModel(value: unknown): value is SavedModel {
  return (
    isJsonObject(value) &&
    value.version === 1 &&
    tasks.includes(String(value.task)) &&
    Array.isArray(value.labels) &&
    isJsonObject(value.preprocessor) &&
    isJsonObject(value.base) &&
    typeof value.base.cut === 'string' &&
    isJsonObject(value.head) &&
    typeof value.head.logits === 'string' &&
    Array.isArray(value.unfrozen) &&
    Array.isArray(value.history)
  );
}
