// The verbs save and load: one tfjs artefact, with everything that transferkit knows about the model beside it.
import { io } from '@tensorflow/tfjs-core';
import { ensureBackend } from './backends/ensureBackend.ts';
import { choosePreprocessor } from './bases/choosePreprocessor.ts';
import { buildFrom, makeBase } from './bases/makeBase.ts';
import { assertSavedFits } from './bases/savedFits.ts';
import { TransferKitError } from './core/errors.ts';
import type { ReadOptions } from './core/platform.ts';
import type { Preprocessor, Task, TransferModel } from './core/types.ts';
import { makeModel } from './heads/makeModel.ts';
import { assertAlive } from './train/runTraining.ts';
import {
  appendLayer,
  freshName,
  graphAfter,
  graphUpTo,
  joinGraphs,
  lastCallOf,
  layerOf,
  type LayerGraph,
} from './trunk/layerGraph.ts';
import { layersTrunkOf } from './trunk/layersTrunk.ts';
import { parseTopology, writeTopology } from './trunk/topology.ts';
import { readHandler, readModelFiles } from './weights/modelArtefact.ts';
import { savedModelOf, type SavedModel } from './weights/savedModel.ts';

/**
 * Saves a model as a tfjs LayersModel: base and head in one, weights, and labels, preprocessing, freeze state and
 * history as metadata. `tf.loadLayersModel` loads it without transferkit; its output is the probabilities of the labels
 * (`binary`: that of the second label; `regression`: the values).
 *
 * @param model - A model of any task. Optimizer state is not saved.
 * @param target - `fileSystem(directory)` of `transferkit/node`, any tfjs IOHandler, or an address that tfjs knows
 * (`indexeddb://name`, `localstorage://name`, `downloads://name`).
 * @throws TransferKitError `SAVE_FAILED` with the reason, `INVALID_OPTION`, `DISPOSED`.
 *
 * @example
 * ```ts
 * import { fileSystem } from 'transferkit/node';
 * await save(model, fileSystem('my-model'));
 * ```
 */
export async function save(model: TransferModel, target: io.IOHandler | string): Promise<void> {
  assertAlive('save', model);
  const handler = typeof target === 'string' ? handlerOf(target) : target;
  if (handler.save === undefined) {
    throw new TransferKitError('INVALID_OPTION', 'save: expected an IOHandler that can save, got one without save().');
  }
  const { data, specs } = await io.encodeWeights(
    Object.fromEntries(allWeights(model).map((weight) => [weight.name, weight.variable])),
  );
  const artifacts: io.ModelArtifacts = {
    modelTopology: writeTopology(wholeGraph(model)),
    weightData: data,
    weightSpecs: specs,
    format: 'layers-model',
    generatedBy: 'transferkit',
    userDefinedMetadata: { transferkit: describeModel(model) },
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
export interface LoadOptions<T extends Task = Task> extends Pick<ReadOptions, 'fetch' | 'signal'> {
  /** Task that the model must have. Default `'classes'`. */
  readonly task?: T;
  /** Needed for a model that was saved with a preprocessor of your own: that preprocessor again. */
  readonly preprocess?: Preprocessor;
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
export async function load<T extends Task = 'classes'>(
  source: string | URL | io.IOHandler,
  options?: LoadOptions<T>,
): Promise<TransferModel<T>>;
export async function load(
  source: string | URL | io.IOHandler,
  { task = 'classes', preprocess, ...reading }: LoadOptions = {},
): Promise<TransferModel> {
  await ensureBackend();
  const located = typeof source === 'string' || source instanceof URL;
  const artefact = located ? await readModelFiles(String(source), reading) : await readHandler(source);
  const saved = savedModelOf(artefact);
  if (saved === undefined) throw notSaved(artefact.source);
  if (saved.task !== task) throw otherTask(saved.task, task);

  const parsed = parseTopology(artefact.topology);
  assertSavedFits(saved, parsed, artefact.source);
  const graph = graphUpTo(parsed, lastCallOf(parsed, saved.head.logits));
  const base = await makeBase(graph, artefact, {
    ...saved.base,
    preprocess: (input) => choosePreprocessor(input, preprocess, saved.preprocessor),
  });
  try {
    const shape = base.trunk.output.shape.slice(1);
    const trunk = await buildFrom(artefact, graphAfter(graph, lastCallOf(graph, base.cut), shape));
    const model = makeModel(base, { task, trunk, trained: saved.head.trained }, saved.labels, saved.history);
    const unfrozen = new Set(saved.unfrozen);
    for (const weight of allWeights(model)) weight.frozen = !unfrozen.has(weight.name);
    return model;
  } catch (error) {
    base.dispose();
    throw error;
  }
}

function allWeights({ base, head }: TransferModel) {
  return [...base.trunk.weights, ...head.trunk.weights];
}

/** Base, head, and the activation that turns logits into probabilities. */
function wholeGraph({ base, head }: TransferModel): LayerGraph {
  const graph = joinGraphs(layersTrunkOf(base.trunk).graph, layersTrunkOf(head.trunk).graph);
  if (head.task === 'regression') return graph;
  const name = freshName('probabilities', (candidate) => graph.layers.has(candidate));
  const activation = head.task === 'classes' ? 'softmax' : 'sigmoid';
  const config = { name, trainable: true, activation };
  return appendLayer(graph, { name, className: 'Activation', config, path: [name] });
}

function describeModel(model: TransferModel): SavedModel {
  const { base, head, labels, history } = model;
  const { graph } = layersTrunkOf(head.trunk);
  return {
    version: 1,
    task: head.task,
    labels,
    preprocessor: base.preprocessor.spec,
    base: { name: base.name, cut: base.cut },
    head: { logits: layerOf(graph, graph.outputs[0]?.call ?? 0).name, trained: head.trained },
    unfrozen: allWeights(model)
      .filter((weight) => !weight.frozen)
      .map((weight) => weight.name),
    history,
  };
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

function otherTask(saved: Task, expected: Task): TransferKitError {
  const text = `load: expected a model of task '${expected}', got '${saved}'. Call load(source, { task: '${saved}' }).`;
  return new TransferKitError('INVALID_OPTION', text, { saved, expected });
}
