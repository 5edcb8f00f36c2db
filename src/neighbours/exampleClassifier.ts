// Classifiers that keep examples: the parts that `knn` and `nearestCentroid` share.
import { ensureBackend } from '../engines/backends/ensureBackend.ts';
import { assertBaseAlive } from '../model/assertAlive.ts';
import { TransferKitError } from '../core/errors.ts';
import type { Base } from '../model/model.ts';
import type { Predicted, PredictOptions } from '../model/predictions.ts';
import type { LabelPrediction } from '../model/tasks/task.ts';
import type { Samples } from '../core/types.ts';
import { assertOneOf, assertWhole, invalidOption } from '../core/optionChecks.ts';
import { assertOptions } from '../core/optionNames.ts';
import { featurePoolings, type FeaturePooling } from '../features/poolFeatures.ts';
import { isListOfInputs, prepareInputs } from '../data/reading/prepareInputs.ts';
import { addSamples, type AddedExamples, type AddOptions } from './addSamples.ts';
import { openFeatures, type BaseFeatures } from './baseFeatures.ts';
import { ExampleMemory, type KeptExample } from './exampleMemory.ts';
import {
  originOf,
  restoreExamples,
  saveExamples,
  savedPooling,
  type ExampleOrigin,
  type ExampleSet,
} from './exampleSet.ts';
import { labelsOf } from './keptExample.ts';
import { vectorOf } from './separation.ts';

/** A classifier that keeps the features of examples. It needs no training: each added example takes effect at once. */
export interface ExampleClassifier extends Disposable {
  /** The base. The caller owns it, and must not dispose of it before the classifier. */
  readonly base: Base;
  /** Labels that have examples, in alphabetical order. */
  readonly labels: readonly string[];
  /** Number of examples of each label. */
  readonly classCounts: Readonly<Record<string, number>>;
  /** Number of examples. */
  readonly size: number;
  /** The kept examples, in the order in which they were added. */
  readonly examples: readonly { readonly id: number; readonly label: string }[];
  /**
   * Adds an example.
   *
   * @param input - Raw input, as for `predict`. The base's own preprocessing is applied.
   * @param label - Any text but ''. A new label is a new class.
   * @returns Its id, for `remove`.
   * @throws TransferKitError `INVALID_OPTION`, `DISPOSED`, `NOT_FINITE`, and the errors of preprocessing, such as
   * `UNREADABLE` or `WRONG_SHAPE`. After an error the classifier is unchanged.
   */
  add(input: unknown, label: string): Promise<number>;
  /**
   * Adds all samples. After an error none of them is added.
   *
   * @param samples - Samples with one label each. Their weights are ignored.
   * @throws TransferKitError `INVALID_OPTION`, `NO_EXAMPLES`, `UNREADABLE`, `NOT_FINITE`, `WRONG_SHAPE`, `ABORTED`,
   * `DISPOSED`.
   */
  addAll(samples: Samples, options?: AddOptions): Promise<AddedExamples>;
  /**
   * Removes an example. The classifier is then the same as if it had never been added.
   *
   * @throws TransferKitError `UNKNOWN_EXAMPLE`.
   */
  remove(id: number): void;
  /**
   * Predicts labels for raw input.
   *
   * @returns All labels with probabilities, the most probable first. A list of inputs gives a list of such lists.
   * @throws TransferKitError `NO_EXAMPLES` if no examples are kept, and the errors of `predict`.
   */
  predict<Input>(input: Input, options?: PredictOptions): Promise<Predicted<'classes', Input>>;
  /** All kept examples as plain data: `JSON.stringify(classifier)`. The option `examples` restores them. */
  toJSON(): ExampleSet;
  /** Frees the memory that was prepared for the base. The base stays. A second call does nothing. */
  dispose(): void;
}

/** Shares of labels for features, the largest first. Labels that are missing have share 0. */
type Classify = (features: readonly Float32Array[]) => Promise<readonly ReadonlyMap<string, number>[]>;

/** Parts of a classifier. */
export interface ClassifierPlan {
  readonly verb: string;
  readonly base: Base;
  readonly pooling: FeaturePooling | undefined;
  /** Examples of an earlier classifier. */
  readonly examples: unknown;
  /** Learns from the kept examples. */
  readonly fit: (examples: readonly KeptExample[]) => Classify;
}

/** Prepares the base, and restores the examples of an earlier classifier. */
export async function openClassifier(plan: ClassifierPlan): Promise<ExampleClassifier> {
  const { verb, base, pooling, examples } = plan;
  if (pooling !== undefined) assertOneOf(verb, 'pooling', pooling, featurePoolings);
  assertBaseAlive(verb, base);
  await ensureBackend();
  const hasMaps = base.trunk.output.shape.length > 2;
  const features = await openFeatures(verb, base, pooling ?? (hasMaps ? savedPooling(examples) : undefined));
  try {
    const origin = await originOf(features);
    const kept = examples === undefined ? { examples: [], nextId: 0 } : restoreExamples(verb, examples, origin);
    return new KeepingClassifier(plan, features, origin, new ExampleMemory(kept.examples, kept.nextId));
  } catch (error) {
    features.dispose();
    throw error;
  }
}

class KeepingClassifier implements ExampleClassifier {
  readonly base: Base;
  /** Learnt from the current examples. Undefined after a change. */
  private fitted: Classify | undefined;
  private disposed = false;

  constructor(
    private readonly plan: ClassifierPlan,
    private readonly features: BaseFeatures,
    private readonly origin: ExampleOrigin,
    private readonly memory: ExampleMemory,
  ) {
    this.base = features.base;
  }

  get labels(): readonly string[] {
    return labelsOf(this.memory.examples);
  }

  get classCounts(): Readonly<Record<string, number>> {
    const { examples } = this.memory;
    return Object.fromEntries(
      this.labels.map((label) => [label, examples.filter((each) => each.label === label).length]),
    );
  }

  get size(): number {
    return this.memory.examples.length;
  }

  get examples(): readonly { readonly id: number; readonly label: string }[] {
    return this.memory.examples.map(({ id, label }) => ({ id, label }));
  }

  async add(input: unknown, label: string): Promise<number> {
    const verb = this.begin('add');
    if (typeof label !== 'string' || label === '') throw invalidOption(verb, "a label that is not ''", label);
    const id = this.memory.claim(1);
    await ensureBackend();
    for await (const { input: prepared, names } of prepareInputs(verb, this.base, [input], 1)) {
      const [values = new Float32Array(0)] = await this.features.read(verb, prepared, names);
      this.keep(verb, [{ id, label, ...vectorOf(values) }]);
    }
    return id;
  }

  async addAll(samples: Samples, options: AddOptions = {}): Promise<AddedExamples> {
    const verb = this.begin('addAll');
    assertOptions(verb, options, { batchSize: true, signal: true, onProgress: true });
    const claim = (count: number) => this.memory.claim(count);
    const { examples, skipped } = await addSamples({ verb, features: this.features, samples, claim }, options);
    this.keep(verb, examples);
    return { ids: examples.map(({ id }) => id), skipped };
  }

  remove(id: number): void {
    this.memory.remove(`${this.plan.verb}.remove`, id);
    this.fitted = undefined;
  }

  predict<Input>(input: Input, options?: PredictOptions): Promise<Predicted<'classes', Input>>;
  async predict(input: unknown, options: PredictOptions = {}): Promise<LabelPrediction[] | LabelPrediction[][]> {
    const verb = this.begin('predict');
    assertOptions(verb, options, { topK: true, batchSize: true });
    const { topK = Infinity, batchSize = 32 } = options;
    if (topK !== Infinity) assertWhole(verb, 'topK', topK, 1);
    assertWhole(verb, 'batchSize', batchSize, 1);
    if (this.size === 0) {
      throw new TransferKitError(
        'NO_EXAMPLES',
        `${verb}: expected examples to compare with, got none. Add some first.`,
      );
    }
    await ensureBackend();
    const { labels } = this;
    const classify = (this.fitted ??= this.plan.fit(this.memory.examples));
    const isList = isListOfInputs(input);
    const predictions: LabelPrediction[][] = [];
    for await (const batch of prepareInputs(verb, this.base, isList ? input : [input], batchSize)) {
      const rows = await this.features.read(verb, batch.input, batch.names);
      predictions.push(...(await classify(rows)).map((shares) => describe(shares, labels).slice(0, topK)));
    }
    return isList ? predictions : (predictions[0] ?? []);
  }

  toJSON(): ExampleSet {
    return saveExamples(this.origin, this.memory.examples, this.memory.nextId);
  }

  dispose(): void {
    this.disposed = true;
    this.features.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private keep(verb: string, examples: readonly KeptExample[]): void {
    this.assertUsable(verb);
    this.memory.insert(examples);
    this.fitted = undefined;
  }

  /** Name of the classifier and the method, which error texts begin with. */
  private begin(method: string): string {
    const verb = `${this.plan.verb}.${method}`;
    this.assertUsable(verb);
    return verb;
  }

  private assertUsable(verb: string): void {
    if (!this.disposed && !this.base.trunk.disposed) return;
    const whose = this.disposed ? 'classifier, got one' : `base, got '${this.base.name}'`;
    throw new TransferKitError('DISPOSED', `${verb}: expected a usable ${whose} after its dispose(). Make another.`);
  }
}

/** All labels. Those without a share come last, in their order. */
function describe(shares: ReadonlyMap<string, number>, labels: readonly string[]): LabelPrediction[] {
  const others = labels.filter((label) => !shares.has(label)).map((label) => [label, 0] as const);
  return [...shares, ...others].map(([label, probability]) => ({ label, probability }));
}
