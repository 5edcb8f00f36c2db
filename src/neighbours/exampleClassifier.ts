// Classifiers that keep examples: the parts that `knn` and `nearestCentroid` share.
import { nameErrors } from '../core/edge.ts';
import { ensureBackend } from '../engines/backends/ensureBackend.ts';
import { assertBaseAlive } from '../model/assertAlive.ts';
import { TransferKitError } from '../core/errors.ts';
import type { Base } from '../model/model.ts';
import type { Predicted, RankingOptions } from '../model/predictions.ts';
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
  predict<Input>(input: Input, options?: RankingOptions): Promise<Predicted<'classes', Input>>;
  /** All kept examples as plain data: `JSON.stringify(classifier)`. The option `examples` restores them. */
  toJSON(): ExampleSet;
  /** Frees the memory that was prepared for the base. The base stays. A second call does nothing. */
  dispose(): void;
}

/** Shares of labels for features, the largest first. Labels that are missing have share 0. */
type Classify = (features: readonly Float32Array[]) => Promise<readonly ReadonlyMap<string, number>[]>;

/** Parts of a classifier. */
export interface ClassifierPlan {
  /** The function that makes it, as errors of its methods name it. */
  readonly maker: string;
  readonly base: Base;
  readonly pooling: FeaturePooling | undefined;
  /** Examples of an earlier classifier. */
  readonly examples: unknown;
  /** Learns from the kept examples. */
  readonly fit: (examples: readonly KeptExample[]) => Classify;
}

/** Prepares the base, and restores the examples of an earlier classifier. */
export async function openClassifier(plan: ClassifierPlan): Promise<ExampleClassifier> {
  const { base, pooling, examples } = plan;
  if (pooling !== undefined) assertOneOf('pooling', pooling, featurePoolings);
  assertBaseAlive(base);
  await ensureBackend();
  const hasMaps = base.trunk.output.shape.length > 2;
  const features = await openFeatures(base, pooling ?? (hasMaps ? savedPooling(examples) : undefined));
  try {
    const origin = await originOf(features);
    const kept = examples === undefined ? { examples: [], nextId: 0 } : restoreExamples(examples, origin);
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
    return nameErrors(`${this.plan.maker}.add`, () => this.addNow(input, label));
  }

  async addAll(samples: Samples, options: AddOptions = {}): Promise<AddedExamples> {
    return nameErrors(`${this.plan.maker}.addAll`, () => this.addAllNow(samples, options));
  }

  remove(id: number): void {
    nameErrors(`${this.plan.maker}.remove`, () => {
      this.memory.remove(id);
    });
    this.fitted = undefined;
  }

  predict<Input>(input: Input, options?: RankingOptions): Promise<Predicted<'classes', Input>>;
  async predict(input: unknown, options: RankingOptions = {}): Promise<LabelPrediction[] | LabelPrediction[][]> {
    return nameErrors(`${this.plan.maker}.predict`, () => this.predictNow(input, options));
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

  private async addNow(input: unknown, label: string): Promise<number> {
    this.assertUsable();
    if (typeof label !== 'string' || label === '') throw invalidOption("a label that is not ''", label);
    const id = this.memory.claim(1);
    await ensureBackend();
    for await (const { input: prepared, names } of prepareInputs(this.base, [input], 1)) {
      const [values = new Float32Array(0)] = await this.features.read(prepared, names);
      this.keep([{ id, label, ...vectorOf(values) }]);
    }
    return id;
  }

  private async addAllNow(samples: Samples, options: AddOptions): Promise<AddedExamples> {
    this.assertUsable();
    assertOptions(options, { batchSize: true, signal: true, onProgress: true });
    const claim = (count: number) => this.memory.claim(count);
    const { examples, skipped } = await addSamples({ features: this.features, samples, claim }, options);
    this.keep(examples);
    return { ids: examples.map(({ id }) => id), skipped };
  }

  private async predictNow(input: unknown, options: RankingOptions): Promise<LabelPrediction[] | LabelPrediction[][]> {
    this.assertUsable();
    assertOptions(options, { topK: true, batchSize: true });
    const { topK = Infinity, batchSize = 32 } = options;
    if (topK !== Infinity) assertWhole('topK', topK, 1);
    assertWhole('batchSize', batchSize, 1);
    if (this.size === 0) {
      throw new TransferKitError('NO_EXAMPLES', 'expected examples to compare with, got none. Add some first.');
    }
    await ensureBackend();
    const { labels } = this;
    const classify = (this.fitted ??= this.plan.fit(this.memory.examples));
    const isList = isListOfInputs(input);
    const predictions: LabelPrediction[][] = [];
    for await (const batch of prepareInputs(this.base, isList ? input : [input], batchSize)) {
      const rows = await this.features.read(batch.input, batch.names);
      predictions.push(...(await classify(rows)).map((shares) => describe(shares, labels).slice(0, topK)));
    }
    return isList ? predictions : (predictions[0] ?? []);
  }

  private keep(examples: readonly KeptExample[]): void {
    this.assertUsable();
    this.memory.insert(examples);
    this.fitted = undefined;
  }

  private assertUsable(): void {
    if (!this.disposed && !this.base.trunk.disposed) return;
    const whose = this.disposed ? 'classifier, got one' : `base, got '${this.base.name}'`;
    throw new TransferKitError('DISPOSED', `expected a usable ${whose} after its dispose(). Make another.`);
  }
}

/** All labels. Those without a share come last, in their order. */
function describe(shares: ReadonlyMap<string, number>, labels: readonly string[]): LabelPrediction[] {
  const others = labels.filter((label) => !shares.has(label)).map((label) => [label, 0] as const);
  return [...shares, ...others].map(([label, probability]) => ({ label, probability }));
}
