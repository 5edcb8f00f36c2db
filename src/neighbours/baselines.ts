// Baselines that a model should exceed: the nearest neighbours, the nearest centroid, and always the most frequent
// label.
import type { AnyModel, HeadPart } from '../model/model.ts';
import type { Progress, Samples, Unreadable } from '../core/types.ts';
import { noneReadable, type Examples, type Rows } from '../features/examples.ts';
import { invalidOption } from '../core/optionChecks.ts';
import { startPace } from '../core/pace.ts';
import { pooledValues } from '../features/poolFeatures.ts';
import { allInBatches } from '../data/reading/readAhead.ts';
import { assertReadable, readBatches } from '../data/reading/readBatch.ts';
import { freeRows } from '../features/readRows.ts';
import { assertKnown } from '../model/checkLabels.ts';
import { argMax } from '../model/tasks/logits.ts';
import type { Baselines, OneLabel } from '../model/tasks/task.ts';
import { listTasks, tasks } from '../model/tasks/tasks.ts';
import { openFeatures, rowsOf, settlePooling } from './baseFeatures.ts';
import { centroidShares, fitCentroids } from './centroids.ts';
import type { FeatureVector, LabelledVector } from './keptExample.ts';
import { nearestRows, type Neighbour } from './nearestRows.ts';
import { vectorOf } from './separation.ts';
import { knnDefaults, voteShares } from './votes.ts';

/** Verb, model, and the samples that the baselines learn from. */
export interface BaselinePlan {
  readonly model: AnyModel;
  readonly samples: Samples;
  readonly batchSize: number;
  readonly onProgress: ((progress: Progress) => unknown) | undefined;
}

/** Baselines that have learnt from samples. */
export interface LearntBaselines {
  /** The same examples, with a callback: features of each batch are also used to evaluate the baselines. */
  readonly watch: (examples: Examples) => Examples;
  /** Figures of the baselines for one head. Undefined for tasks without baselines. */
  readonly of: (part: HeadPart) => Baselines | undefined;
}

/** A head that decides for one label. */
interface DecidingHead {
  readonly part: HeadPart;
  readonly one: OneLabel;
}

/** State of the baselines of one head. */
interface HeadBaselines extends DecidingHead {
  readonly examples: readonly LabelledVector[];
  readonly centroids: ReturnType<typeof fitCentroids>;
  readonly mostFrequent: string;
  readonly right: { knn: number; nearestCentroid: number; mostFrequent: number };
}

/**
 * Learns from samples: one pass through the base.
 *
 * @throws TransferKitError `INVALID_OPTION` for a model without classes, and what samples, reading and features raise.
 */
export async function learnBaselines(plan: BaselinePlan): Promise<LearntBaselines> {
  const { model } = plan;
  const parts = model.head.parts.flatMap((part) => {
    const { labelled } = tasks[part.task];
    return labelled?.one === undefined ? [] : [{ part, one: labelled.one }];
  });
  if (parts.length === 0) {
    const names = model.head.parts.map(({ task }) => task).join(', ');
    const expected = listTasks(({ labelled }) => labelled?.one !== undefined);
    throw invalidOption(`baselines for task ${expected} only`, names);
  }
  const { vectors, targets, skipped } = await readFeatures(plan);
  const heads = parts.map((head) => learn(head, vectors, targets));
  const k = Math.min(knnDefaults.k, vectors.length);
  let asked = 0;
  const judge = async ({ input, ids, targetRows }: Rows) => {
    const pooling = settlePooling(model.base) ?? 'average';
    const rows = rowsOf(await pooledValues(input, pooling), ids);
    const found = await nearestRows({ ...knnDefaults, rows: vectors }, rows);
    for (const head of heads) count(head, rows, found, targetRows);
    asked += ids.length;
  };
  return {
    watch: (examples) => watched(examples, judge),
    of: (part) => {
      const head = heads.find((each) => each.part === part);
      if (head === undefined) return undefined;
      const { right, mostFrequent } = head;
      return {
        knn: { accuracy: right.knn / asked, k },
        nearestCentroid: { accuracy: right.nearestCentroid / asked },
        mostFrequent: { accuracy: right.mostFrequent / asked, label: mostFrequent },
        examples: vectors.length,
        skipped,
      };
    },
  };
}

async function readFeatures({ model, samples, batchSize, onProgress }: BaselinePlan) {
  assertKnown(model, samples);
  const vectors: FeatureVector[] = [];
  const targets: Float32Array[] = [];
  const skipped: Unreadable[] = [];
  const features = await openFeatures(model.base);
  try {
    const pace = await startPace('features', samples.size, onProgress);
    for await (const batch of readBatches(model, samples, allInBatches(samples.size, batchSize))) {
      const { input, ids, unreadable } = batch;
      const rows = input === undefined ? [] : await features.read(input, ids);
      vectors.push(...rows.map((values) => vectorOf(values)));
      targets.push(...batch.targets);
      skipped.push(...unreadable);
      await pace.advance(ids.length + unreadable.length);
    }
  } finally {
    features.dispose();
  }
  assertReadable(samples, skipped);
  if (vectors.length === 0) throw noneReadable(samples);
  return { vectors, targets, skipped };
}

function learn(head: DecidingHead, vectors: readonly FeatureVector[], targets: readonly Float32Array[]): HeadBaselines {
  const examples = vectors.map((vector, row) => ({ ...vector, label: labelOf(head, targets[row]) }));
  const { labels } = head.part;
  const counts = labels.map((label) => examples.filter((each) => each.label === label).length);
  return {
    ...head,
    examples,
    centroids: fitCentroids(examples, knnDefaults.distance),
    mostFrequent: labels[argMax(counts)] ?? '',
    right: { knn: 0, nearestCentroid: 0, mostFrequent: 0 },
  };
}

/** The label with the largest share in a target. */
function labelOf({ part: { labels, from, to }, one }: DecidingHead, target?: Float32Array): string {
  return labels[one.labelOf(target?.subarray(from, to) ?? [])] ?? '';
}

function count(
  head: HeadBaselines,
  rows: readonly Float32Array[],
  found: readonly (readonly Neighbour[])[],
  targets: readonly Float32Array[],
): void {
  const { examples, centroids, mostFrequent, right } = head;
  rows.forEach((values, row) => {
    const label = labelOf(head, targets[row]);
    const voters = (found[row] ?? []).map((each) => ({ ...each, label: examples[each.row]?.label ?? '' }));
    const [voted] = voteShares(voters, knnDefaults.weights).keys();
    const [central] = centroidShares(centroids, vectorOf(values)).keys();
    right.knn += Number(voted === label);
    right.nearestCentroid += Number(central === label);
    right.mostFrequent += Number(mostFrequent === label);
  });
}

function watched(examples: Examples, see: (rows: Rows) => Promise<void>): Examples {
  return {
    size: examples.size,
    entry: examples.entry,
    get skipped() {
      return examples.skipped;
    },
    get readable() {
      return examples.readable;
    },
    async batch(rows, epoch) {
      const found = await examples.batch(rows, epoch);
      if (found === undefined) return undefined;
      try {
        await see(found);
        return found;
      } catch (error) {
        freeRows(found);
        throw error;
      }
    },
    dispose: () => examples.dispose(),
  };
}
