// The verb knn: a classifier by the nearest examples.
import { nameErrors } from './core/edge.ts';
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
  /** Number of nearest examples that vote, from 1; all of them if there are fewer. Default 5. */
  readonly k?: number;
  /**
   * Distance of features: `'cosine'` (1 − cosine of the angle, independent of length) or `'euclidean'`. Default
   * `'cosine'`.
   */
  readonly distance?: Distance;
  /**
   * Weight of each neighbour's vote: 1 (`'uniform'`) or the inverse of its distance (`'distance'`). Default
   * `'uniform'`.
   */
  readonly weights?: VoteWeights;
  /** How feature maps become vectors. Default: that of `examples` if given, else `'average'`. */
  readonly pooling?: Pooling;
  /** Examples to start with: `toJSON()` of a `knn` or `nearestCentroid` classifier on the same base. */
  readonly examples?: ExampleSet;
}

/**
 * Makes a k-nearest-neighbours classifier (Cover and Hart, Nearest Neighbor Pattern Classification, 1967) on features
 * of the base. Examples are added one by one, and can be removed again. Nothing is trained.
 *
 * Probabilities are shares of the votes, as scikit-learn's `KNeighborsClassifier.predict_proba`. Ties are broken in a
 * fixed way: of equally near examples the one added first counts as nearer; of labels with equal votes the one of the
 * nearest neighbour comes first. With `weights: 'distance'`, neighbours at distance 0 outvote all others.
 *
 * @param base - From `loadBase`, or a model's own. The caller disposes of it, after the classifier. The classifier uses
 * the weights that the base has now.
 * @param options - See {@link KnnOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `UNSUPPORTED_SOURCE` for features that cannot be compared,
 * `EXAMPLES_MISMATCH` for
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
  return nameErrors('knn', () => {
    assertOptions(options, { k: true, distance: true, weights: true, pooling: true, examples: true });
    const { k = knnDefaults.k, distance = knnDefaults.distance, weights = knnDefaults.weights } = options;
    const { pooling, examples } = options;
    assertWhole('k', k, 1);
    assertOneOf('distance', distance, distances);
    assertOneOf('weights', weights, voteWeights);
    return openClassifier({
      maker: 'knn',
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
  });
}
