// The verbs save and load: one tfjs artefact, with everything that transferkit knows about the model beside it.
import { dispose, io } from '@tensorflow/tfjs-core';
import { ensureBackend } from './backends/ensureBackend.ts';
import { choosePreprocessor } from './bases/choosePreprocessor.ts';
import { buildFrom, makeBase, type BasePlan } from './bases/makeBase.ts';
import { makeGraphBase } from './bases/makeGraphBase.ts';
import { assertSavedFits, assertSavedHeadFits } from './bases/savedFits.ts';
import { TransferKitError } from './core/errors.ts';
import type { PictureLimits } from './core/pictureLimits.ts';
import type { DownloadOptions } from './core/platform.ts';
import type { AnyModel, Base, HeadPart, Preprocessor, Task, Tasks, TransferModel } from './core/model.ts';
import { joinLogits } from './heads/headGraph.ts';
import { makeModel } from './heads/makeModel.ts';
import type { WrittenModel } from './heads/writeModel.ts';
import { assertAlive } from './core/assertAlive.ts';
import { graphAfter, lastCallOf } from './trunk/layerGraph.ts';
import { isNodeTopology, parseNodes } from './trunk/nodeGraph.ts';
import { parseTopology } from './trunk/topology.ts';
import { readHandler, readModelFiles, type ModelArtefact } from './weights/modelArtefact.ts';
import { savedHeads, savedModelOf, type SavedModel } from './weights/savedModel.ts';

/**
 * Saves a model as a tfjs LayersModel: base and head in one, weights, and labels, thresholds, preprocessing, freeze state and
 * history as metadata. `tf.loadLayersModel` loads it without transferkit; its output is the probabilities of the labels
 * (`binary`: that of the second label; `regression`: the values).
 *
 * A model on a GraphModel is saved as a GraphModel: `tf.loadGraphModel` gives two outputs, the logits and the
 * probabilities (`regression`: the values alone).
 *
 * A model with several heads has one output for each, of its name: `outputNames` of the LayersModel lists them, and
 * `predict` of the GraphModel gives a record.
 *
 * @param model - A model of any task, or with several heads. Optimizer state is not saved.
 * @param target - `fileSystem(directory)` of `transferkit/node`, any tfjs IOHandler, or an address that tfjs knows
 * (`indexeddb://name`, `localstorage://name`, `downloads://name`).
 * @throws TransferKitError `SAVE_FAILED` with the reason, `INVALID_OPTION`, `DISPOSED`, `UNSUPPORTED_LAYER` for a head of
 * your own that has no form in a GraphModel.
 *
 * @example
 * ```ts
 * import { fileSystem } from 'transferkit/node';
 * await save(model, fileSystem('my-model'));
 * ```
 */
export async function save(model: AnyModel, target: io.IOHandler | string): Promise<void> {
  assertAlive('save', model);
  const handler = typeof target === 'string' ? handlerOf(target) : target;
  if (handler.save === undefined) {
    throw new TransferKitError('INVALID_OPTION', 'save: expected an IOHandler that can save, got one without save().');
  }
  const { writeModel } = await import('./heads/writeModel.ts');
  const written = writeModel(model);
  const { data, specs } = await io.encodeWeights({ ...written.weights }).finally(() => {
    dispose([...written.made]);
  });
  const artifacts: io.ModelArtifacts = {
    ...written.artifacts,
    weightData: data,
    weightSpecs: specs,
    generatedBy: 'transferkit',
    userDefinedMetadata: { transferkit: describeModel(model, written.head), ...written.metadata },
  };
  try {
    await handler.save(artifacts);
  } catch (error) {
    if (error instanceof TransferKitError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransferKitError('SAVE_FAILED', `save: could not write the model: ${reason}`, { reason }, error);
  }
}

/** Options of {@link load}. */
export interface LoadOptions<T extends Task | Tasks = Task | Tasks> extends DownloadOptions {
  /** Task that the model must have, or those of several heads by name. Default `'classes'`. */
  readonly task?: T;
  /** Needed for a model that was saved with a preprocessor of your own: that preprocessor again. */
  readonly preprocess?: Preprocessor;
  /** Which encoded pictures are accepted, as for `loadBase`: they are not saved with the model. */
  readonly pictures?: PictureLimits;
}

/**
 * Loads what `save` wrote: the same weights, labels, preprocessing and freeze state.
 *
 * @param source - Path or address of the folder or its `model.json`, `indexeddb://name`, or an IOHandler.
 * @param options - See {@link LoadOptions}.
 * @throws TransferKitError `NOT_FOUND`, `NOT_A_MODEL`, `WEIGHTS_DAMAGED`, `WEIGHTS_MISMATCH`, `PREPROCESSOR_UNKNOWN`,
 * `INVALID_OPTION` when the model has another task, `ABORTED`.
 *
 * @example
 * ```ts
 * import { fileSystem } from 'transferkit/node';
 * await save(model, fileSystem('my-model'));
 * const again = await load('my-model');
 * console.log(again.labels);
 * ```
 */
export async function load<T extends Task | Tasks = 'classes'>(
  source: string | URL | io.IOHandler,
  options?: LoadOptions<T>,
): Promise<TransferModel<T>>;
export async function load(
  source: string | URL | io.IOHandler,
  { task = 'classes', preprocess, pictures, ...reading }: LoadOptions = {},
): Promise<AnyModel> {
  await ensureBackend();
  const located = typeof source === 'string' || source instanceof URL;
  const artefact = located ? await readModelFiles(String(source), reading) : await readHandler(source);
  const saved = savedModelOf(artefact);
  if (saved === undefined) throw notSaved(artefact.source);
  if (describeTask(saved.task) !== describeTask(task)) throw otherTask(saved.task, task);

  const { base, headGraph } = await loadParts(artefact, saved, {
    ...saved.base,
    preprocess: (input) =>
      choosePreprocessor('load', input, { option: preprocess, saved: saved.preprocessor, pictures }),
  });
  try {
    const trunk = await buildFrom(artefact, headGraph(base));
    const parts = savedHeads(saved).map(({ part }) => part);
    const model = makeModel(base, { parts, trunk, trained: saved.head.trained }, saved.history);
    const unfrozen = new Set(saved.unfrozen);
    for (const weight of allWeights(model)) weight.frozen = !unfrozen.has(weight.name);
    return model;
  } catch (error) {
    base.dispose();
    throw error;
  }
}

/** The base, and the layers of the head that goes on it. */
async function loadParts(artefact: ModelArtefact, saved: SavedModel, plan: BasePlan) {
  if (isNodeTopology(artefact.topology)) {
    const headGraph = parseTopology(saved.head.topology);
    assertSavedHeadFits(saved, headGraph, artefact.source);
    const base = makeGraphBase(parseNodes(artefact.topology, saved.base.name), artefact, plan);
    return { base, headGraph: () => headGraph };
  }
  const parsed = parseTopology(artefact.topology);
  assertSavedFits(saved, parsed, artefact.source);
  const logits = savedHeads(saved).map((head) => ({ call: lastCallOf(parsed, head.logits), output: 0 }));
  const graph = joinLogits(parsed, logits);
  const base = await makeBase(graph, artefact, plan);
  const headGraph = ({ cut, trunk }: Base) => graphAfter(graph, lastCallOf(graph, cut), trunk.output.shape.slice(1));
  return { base, headGraph };
}

function allWeights({ base, head }: AnyModel) {
  return [...base.trunk.weights, ...head.trunk.weights];
}

function describeModel(model: AnyModel, writtenHead: WrittenModel['head']): SavedModel {
  const { base, head, labels, history } = model;
  return {
    version: 1,
    task: head.task,
    labels,
    preprocessor: base.preprocessor.spec,
    base: { name: base.name, cut: base.cut },
    head: { ...writtenHead, trained: head.trained },
    ...thresholdsOf(head.parts),
    unfrozen: allWeights(model)
      .filter((weight) => !weight.frozen)
      .map((weight) => weight.name),
    history,
  };
}

/** Thresholds that are not one half. */
function thresholdsOf(parts: readonly HeadPart[]): Pick<SavedModel, 'thresholds'> {
  const [first] = parts;
  if (first?.name === '') return first.thresholds === undefined ? {} : { thresholds: first.thresholds };
  const own = parts.flatMap(({ name, thresholds }) => (thresholds === undefined ? [] : [[name, thresholds] as const]));
  return own.length === 0 ? {} : { thresholds: Object.fromEntries(own) };
}

function handlerOf(address: string): io.IOHandler {
  const [handler] = io.getSaveHandlers(address);
  if (handler !== undefined) return handler;
  throw new TransferKitError(
    'INVALID_OPTION',
    `save: expected an IOHandler or an address such as indexeddb://my-model, got '${address}'. ` +
      "For a folder: import { fileSystem } from 'transferkit/node' and pass fileSystem(folder).",
    { address },
  );
}

function notSaved(source: string): TransferKitError {
  const text = `load: expected a model that transferkit saved, got another one at ${source}. Use loadBase and replaceHead for it.`;
  return new TransferKitError('NOT_A_MODEL', text, { source });
}

function otherTask(saved: Task | Tasks, expected: Task | Tasks): TransferKitError {
  const text = `load: expected a model of task ${describeTask(expected)}, got ${describeTask(saved)}. Call load(source, { task: ${describeTask(saved)} }).`;
  return new TransferKitError('INVALID_OPTION', text, { saved, expected });
}

/** A task as a program says it; heads in alphabetical order, so that equal ones are equal texts. */
function describeTask(task: Task | Tasks): string {
  if (typeof task !== 'object') return `'${task}'`;
  const heads = Object.keys(task).sort();
  return `{ ${heads.map((name) => `${JSON.stringify(name)}: '${task[name] ?? ''}'`).join(', ')} }`;
}
