// The verb knn: a classifier that asks the nearest examples.
import type { Base } from './model/model.ts';
import type { Pooling } from './heads/buildHead.ts';
import { openClassifier, type ExampleClassifier } from './neighbours/exampleClassifier.ts';
import type { ExampleSet } from './neighbours/exampleSet.ts';
import { nearestRows } from './neighbours/nearestRows.ts';
import { distances, type Distance } from './neighbours/separation.ts';
import { knnDefaults, voteShares, voteWeights, type VoteWeights } from './neighbours/votes.ts';
import { assertOneOf, assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';

/** Options of {@link knn}. */
export interface KnnOptions {
  /** How many of the nearest examples vote, from 1; all of them while there are fewer. Default 5. */
  readonly k?: number;
  /** Between features: `'cosine'` (1 - cos, whatever their lengths) or `'euclidean'`. Default `'cosine'`. */
  readonly distance?: Distance;
  /** Each neighbour has one vote, or the inverse of its distance. Default `'uniform'`. */
  readonly weights?: VoteWeights;
  /** How feature maps become vectors. Default `'average'`, or what it was for `examples`. */
  readonly pooling?: Pooling;
  /** What a classifier on the same base kept, of either kind: its `toJSON()`. */
  readonly examples?: ExampleSet;
}

/**
 * Makes a classifier by the k nearest neighbours (Cover and Hart, Nearest Neighbor Pattern Classification, 1967) among the
 * features of examples that are added to it. Nothing is trained, and examples can be removed again.
 *
 * Probabilities are shares of the votes, as scikit-learn's `KNeighborsClassifier.predict_proba`. Ties are never broken by chance:
 * of equally near examples the one added first is nearer, and of labels with equally many votes the one of the nearest
 * neighbour comes first. With `weights: 'distance'`, neighbours whose features are those of the input outvote all others.
 *
 * @param base - From `loadBase`, or a model's own. It stays the caller's, and must live as long as the classifier, which goes by
 * the weights that it has now.
 * @param options - See {@link KnnOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `UNSUPPORTED_SOURCE` for features that cannot be compared, `EXAMPLES_MISMATCH` for
 * `examples` of another base, `DISPOSED`.
 *
 * @example
 * ```ts
 * const classifier = await knn(base, { k: 3 });
 * await classifier.addAll(samples);
 * const id = await classifier.add('cat.jpg', 'cat');
 * const [best] = await classifier.predict('cat.jpg');
 * console.log(best); // { label: 'cat', probability: 1 }
 * classifier.remove(id);
 * classifier.dispose();
 * ```
 */
export async function knn(base: Base, options: KnnOptions = {}): Promise<ExampleClassifier> {
  assertOptions('knn', options, { k: true, distance: true, weights: true, pooling: true, examples: true });
  const { k = knnDefaults.k, distance = knnDefaults.distance, weights = knnDefaults.weights } = options;
  const { pooling, examples } = options;
  assertWhole('knn', 'k', k, 1);
  assertOneOf('knn', 'distance', distance, distances);
  assertOneOf('knn', 'weights', weights, voteWeights);
  return openClassifier({
    verb: 'knn',
    base,
    pooling,
    examples,
    fit: (rows) => async (features) => {
      const neighbours = await nearestRows({ rows, k, distance }, features);
      const voters = neighbours.map((each) =>
        each.map(({ row, distance }) => ({ label: rows[row]?.label ?? '', distance })),
      );
      return voters.map((each) => voteShares(each, weights));
    },
  });
}
