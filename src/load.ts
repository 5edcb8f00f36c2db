// The verb load: loads a model that `save` wrote, or any classifier with its own head.
import { nameErrors } from './core/edge.ts';
import type { LayerGraph, NodeGraph } from './core/graphs.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { assertPreprocessing, choosePreprocessor, type PreprocessOption } from './bases/choosePreprocessor.ts';
import { classifierEnd } from './bases/classifierEnd.ts';
import { assertFiniteWeights } from './bases/finiteWeights.ts';
import { presetClassifier } from './bases/loadPreset.ts';
import { buildFrom, makeBase, type BasePlan } from './bases/makeBase.ts';
import { makeGraphBase } from './bases/makeGraphBase.ts';
import { nodeClassifierEnd } from './bases/nodeClassifierEnd.ts';
import {
  conventionOf,
  readNetwork,
  readOptionsOf,
  sourceOptionNames,
  type BaseSource,
  type SourceOptions,
} from './bases/readSource.ts';
import { assertSavedFits, assertSavedHeadFits } from './bases/savedFits.ts';
import { TransferKitError } from './core/errors.ts';
import { layOut } from './model/headParts.ts';
import type { PictureLimits } from './core/pictureLimits.ts';
import type { AnyModel, Base, LoadedModel, Preprocessor, Tasks, TransferModel } from './model/model.ts';
import type { ActivationEnd } from './model/tasks/task.ts';
import { isTaskName, taskEndingIn, tasks, type TaskName } from './model/tasks/tasks.ts';
import { assertOptions } from './core/optionNames.ts';
import { describeShape } from './core/shapes.ts';
import type { LayersTrunk, TensorSpec } from './core/types.ts';
import { joinLogits } from './networks/write/headGraph.ts';
import { makeModel } from './model/makeModel.ts';
import { describeTask, otherTask } from './model/describeTask.ts';
import { nameOutputs } from './heads/nameOutputs.ts';
import { findPreset, isPresetName, type PresetName } from './presets/presetTable.ts';
import { buildTrunk } from './networks/read/buildLayers.ts';
import { freshName, graphAfter, lastCallOf } from './networks/graphs/layerGraph.ts';
import { isNodeTopology, parseNodes } from './networks/graphs/nodeGraph.ts';
import { parseTopology } from './networks/read/topology.ts';
import { modelHints, type ClassifierHints } from './formats/tfjs/classifierHints.ts';
import type { ModelArtefact } from './formats/tfjs/modelArtefact.ts';
import { readHintsBeside } from './formats/tfjs/modelFiles.ts';
import { savedHeads, savedModelOf, type SavedModel } from './formats/tfjs/savedModel.ts';

/** Options of {@link load}. */
export interface LoadOptions<T extends TaskName | Tasks = TaskName | Tasks> extends SourceOptions {
  /**
   * Task that the model must have; for several heads a record of tasks by name. Default: any. A classifier that
   * transferkit did not save and that ends without activation has the given task, by default `'classes'`.
   */
  readonly task?: T;
  /**
   * Names of the outputs, in their order, for a classifier that transferkit did not save; `'imagenet'` for the 1000
   * ImageNet classes (1001 with a background class). Default: the labels stored next to the model (Teachable Machine's
   * `metadata.json`, ml5's `ml5Specs`, metadata of `toGraphModel`); ImageNet's for presets. If `labels` is given, files
   * next to the model are not read, so give `preprocess` too.
   */
  readonly labels?: readonly string[] | 'imagenet';
  /**
   * Preprocessing that the network expects, as for `loadBase`. Default: that saved with the model, or that of the
   * preset, Teachable Machine or ml5; `'unit'` for pictures of models from TF Hub and Kaggle; otherwise inputs are
   * tensors and stay unchanged. A model that was saved with a custom preprocessor needs that preprocessor again.
   */
  readonly preprocess?: PreprocessOption;
  /** Limits for encoded pictures, as for `loadBase`. They are not saved with a model. */
  readonly pictures?: PictureLimits;
}

/**
 * Loads a model that `save` wrote: the same weights, labels, preprocessing and freeze state.
 *
 * Any other classifier is loaded with its own head: exports of Teachable Machine and ml5, tfjs and Keras models, and
 * presets with ImageNet's classes. Its base is frozen and its head is not, as after `replaceHead`; `predict`,
 * `evaluate`, `fineTune` and `save` accept it like any model. The last activation determines the task: softmax
 * `'classes'`, sigmoid `'binary'` or `'multiLabel'`. Outputs without activation are logits of the given `task`, or the
 * values of a `'regression'`.
 *
 * Without `task` the result is one of several types: compare `model.task` to narrow it. With `task` it has that type.
 *
 * @param source - Target of a `save` (path or address of the folder, its `model.json` or the `.zip`, a File or Blob of
 * the `.zip`, `indexeddb://name`, or an IOHandler), or any source of `loadBase`.
 * @param options - See {@link LoadOptions}.
 * @throws TransferKitError `NOT_FOUND`, `NOT_TRUSTED`, `NOT_A_MODEL`, `WEIGHTS_DAMAGED`, `WEIGHTS_MISMATCH`,
 * `PREPROCESSOR_UNKNOWN`, `UNSUPPORTED_SOURCE` for a network that does not end in a classifier, `UNSUPPORTED_LAYER`,
 * `INVALID_OPTION` if the model has another task or the number of labels is wrong, `NOT_FINITE` for weights that hold
 * NaN, `ABORTED`, `OUT_OF_RANGE`, `BACKEND_LOST`.
 *
 * @example
 * ```ts
 * import { fileSystem } from 'transferkit/node';
 * await save(model, fileSystem('my-model'));
 * const again = await load('my-model');
 * if (again.task === 'classes') console.log(again.labels); // [ 'cat', 'dog' ]
 * const classes = await load('my-model', { task: 'classes' }); // labels are known without a check
 * console.log(classes.labels.length); // 2
 *
 * const imagenet = await load('mobilenet_v2', { weights: null }); // give weights: 'imagenet' for trained ones
 * console.log(imagenet.labels.length); // 1000
 * ```
 */
export async function load<T extends TaskName | Tasks>(
  source: BaseSource,
  options: LoadOptions<T> & { readonly task: T },
): Promise<TransferModel<T>>;
export async function load(source: PresetName, options?: LoadOptions): Promise<TransferModel<'classes'>>;
export async function load(source: BaseSource, options?: LoadOptions): Promise<LoadedModel>;
export async function load(source: BaseSource, options: LoadOptions = {}): Promise<AnyModel> {
  return nameErrors('load', () => loadNow(source, options));
}

async function loadNow(source: BaseSource, options: LoadOptions): Promise<AnyModel> {
  assertOptions(options, { ...sourceOptionNames, task: true, labels: true, preprocess: true, pictures: true });
  assertPreprocessing(options);
  await ensureBackend();
  const model = await readModel(source, options);
  const trunks = [model.base.trunk, model.head.trunk];
  await assertFiniteWeights(model, { trunks, option: options.nonFiniteWeights });
  return model;
}

async function readModel(source: BaseSource, options: LoadOptions): Promise<AnyModel> {
  if (typeof source === 'string' && isPresetName(source)) return loadNamed(source, options);
  const artefact = await readNetwork(source, options);
  const saved = savedModelOf(artefact);
  if (saved !== undefined) return loadSaved(artefact, saved, options);
  const hints = options.labels === undefined ? await findHints(artefact, options) : {};
  const given = options.preprocess ?? hints.preprocess;
  return loadClassifier(artefact, {
    ...options,
    labels: options.labels ?? hints.labels,
    preprocess: (input) =>
      choosePreprocessor(input, {
        option: given ?? conventionOf(source, input),
        saved: hints.preprocessor,
        pictures: options.pictures,
      }),
  });
}

/** Labels and preprocessing stored next to the classifier. They are not read if the caller gives labels. */
async function findHints(artefact: ModelArtefact, options: LoadOptions): Promise<ClassifierHints> {
  return { ...modelHints(artefact.metadata), ...(await readHintsBeside(artefact, readOptionsOf(options))) };
}

async function loadSaved(
  artefact: ModelArtefact,
  saved: SavedModel,
  { task, labels, preprocess, pictures }: LoadOptions,
): Promise<AnyModel> {
  if (task !== undefined && describeTask(saved.task) !== describeTask(task)) throw otherTask(saved.task, task);
  if (labels !== undefined) {
    const text = `expected no labels for a model that has its own (${artefact.source}), got some. Leave them out.`;
    throw new TransferKitError('INVALID_OPTION', text, { labels });
  }
  const { base, headGraph } = await loadParts(artefact, saved, {
    ...saved.base,
    preprocess: (input) => choosePreprocessor(input, { option: preprocess, saved: saved.preprocessor, pictures }),
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

function allWeights({ base, head }: AnyModel) {
  return [...base.trunk.weights, ...head.trunk.weights];
}

/** The base, and the layers of its head. */
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

/** How to load a classifier that transferkit did not save. */
interface ClassifierPlan extends Pick<LoadOptions, 'task' | 'weights' | 'seed' | 'partial'> {
  readonly labels: LoadOptions['labels'];
  readonly preprocess: (input: TensorSpec) => Preprocessor;
}

async function loadNamed(name: PresetName, options: LoadOptions): Promise<AnyModel> {
  const preset = await findPreset(name);
  const { graph, artefact } = await presetClassifier(preset, options, readOptionsOf(options));
  return loadLayers(graph, artefact, {
    ...options,
    labels: options.labels ?? 'imagenet',
    preprocess: (input) =>
      choosePreprocessor(input, {
        option: options.preprocess ?? preset.mode,
        saved: undefined,
        pictures: options.pictures,
      }),
  });
}

async function loadClassifier(artefact: ModelArtefact, plan: ClassifierPlan): Promise<AnyModel> {
  return isNodeTopology(artefact.topology)
    ? loadNodes(parseNodes(artefact.topology, 'graph_model'), artefact, plan)
    : loadLayers(parseTopology(artefact.topology), artefact, plan);
}

async function loadLayers(graph: LayerGraph, artefact: ModelArtefact, plan: ClassifierPlan): Promise<AnyModel> {
  const end = classifierEnd(graph, isOfNumbers(plan.task));
  const seed = plan.weights === null || plan.partial === true ? (plan.seed ?? 0) : undefined;
  const { preprocess } = plan;
  const base = await makeBase(end.graph, artefact, { name: graph.name, cut: end.cut, seed, preprocess });
  return withHead(base, plan, async () => {
    const features = base.trunk.output.shape.slice(1);
    const head = graphAfter(end.graph, lastCallOf(end.graph, end.cut), features);
    return { trunk: await buildFrom(artefact, head, { seed }), end: end.end };
  });
}

async function loadNodes(graph: NodeGraph, artefact: ModelArtefact, plan: ClassifierPlan): Promise<AnyModel> {
  const base = makeGraphBase(graph, artefact, { name: graph.name, preprocess: plan.preprocess });
  return withHead(base, plan, async () => {
    const taken = base.trunk.names;
    const end = nodeClassifierEnd(graph, {
      cut: base.cut,
      features: base.trunk.output.shape,
      constants: artefact.weights(() => true),
      prefix: freshName('classifier', (name) => taken.has(name)),
    });
    return { trunk: await buildTrunk(end.graph, end.weights), end: end.end };
  });
}

/** The base with the head that `build` gives; frees both after an error. */
async function withHead(
  base: Base,
  plan: ClassifierPlan,
  build: () => Promise<{ readonly trunk: LayersTrunk; readonly end: ActivationEnd | undefined }>,
): Promise<AnyModel> {
  let head: LayersTrunk | undefined;
  try {
    const { trunk, end } = await build();
    head = trunk;
    const answer = await nameAnswer(trunk, checkTask(end, plan.task), plan.labels);
    for (const weight of base.trunk.weights) weight.frozen = true;
    for (const weight of trunk.weights) weight.frozen = false;
    return makeModel(base, { parts: layOut([answer]), trunk, trained: plan.weights !== null });
  } catch (error) {
    head?.dispose();
    base.dispose();
    throw error;
  }
}

/** The task of a classifier: that of its last activation, else the given one. */
function checkTask(end: ActivationEnd | undefined, task: TaskName | Tasks | undefined): TaskName {
  const found = (end && taskEndingIn(end)) ?? 'classes';
  if (task === undefined) return found;
  if (isTaskName(task) && (end === undefined || tasks[task].endsIn(end))) return task;
  throw otherTask(found, task);
}

/** Whether the task predicts numbers: the last activation then belongs to the network. */
function isOfNumbers(task: LoadOptions['task']): boolean {
  return isTaskName(task) && tasks[task].labelled === undefined;
}

async function nameAnswer({ output }: LayersTrunk, task: TaskName, given: LoadOptions['labels']) {
  const units = output.shape.length === 2 ? (output.shape[1] ?? undefined) : undefined;
  if (units === undefined) {
    const text = `expected a classifier that gives one row of numbers for each example, got ${describeShape(output.shape)}.`;
    throw new TransferKitError('WRONG_SHAPE', text, { shape: output.shape });
  }
  const expected = tasks[task].units(tasks[task].labelsOf(units));
  if (expected !== units) {
    const text = `expected a classifier with the outputs of task '${task}' (${String(expected)}), got ${String(units)}. Ask for another task.`;
    throw new TransferKitError('INVALID_OPTION', text, { expected, received: units });
  }
  const labels = given === 'imagenet' ? (await import('./presets/imagenetLabels.ts')).imagenetLabels(units) : given;
  const count = tasks[task].labelsOf(units);
  if (tasks[task].labelled === undefined) return nameOutputs('', { task, outputs: labels ?? units });
  if (labels?.length === count) return nameOutputs('', { task, labels });
  const found = labels === undefined ? 'none' : String(labels.length);
  const text =
    `expected ${String(count)} labels for ${String(units)} outputs of task '${task}', got ${found}. Give their names in the ` +
    "order of the outputs: load(source, { labels: ['cat', …] }).";
  throw new TransferKitError('INVALID_OPTION', text, { expected: count, received: labels?.length });
}
