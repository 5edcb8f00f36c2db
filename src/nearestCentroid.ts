// The verb nearestCentroid: a classifier that asks which label's examples are nearest on average.
import type { Base } from './model/model.ts';
import type { Pooling } from './heads/buildHead.ts';
import { centroidShares, fitCentroids } from './neighbours/centroids.ts';
import { openClassifier, type ExampleClassifier } from './neighbours/exampleClassifier.ts';
import type { ExampleSet } from './neighbours/exampleSet.ts';
import { distances, vectorOf, type Distance } from './neighbours/separation.ts';
import { assertOneOf } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';

/** Options of {@link nearestCentroid}. */
export interface NearestCentroidOptions {
  /**
   * `'euclidean'`: a centroid is the mean of the features. `'cosine'`: the mean of their directions; lengths do not count.
   * Default `'cosine'`.
   */
  readonly distance?: Distance;
  /** How feature maps become vectors. Default `'average'`, or what it was for `examples`. */
  readonly pooling?: Pooling;
  /** What a classifier on the same base kept, of either kind: its `toJSON()`. */
  readonly examples?: ExampleSet;
}

/**
 * Makes a classifier by the nearest of the labels' centroids (as scikit-learn's `NearestCentroid`, and the prototypes of Snell et
 * al., Prototypical Networks for Few-shot Learning, 2017), from the features of examples that are added to it. Nothing is
 * trained, and examples can be removed again. It needs fewer examples than `knn`, and its answers cost the same however many
 * there are.
 *
 * Probabilities are a softmax of minus the squared Euclidean or the cosine distances, times the factor that makes the kept
 * examples most probable, each left out of its own centroid (temperature scaling; Guo et al., On Calibration of Modern Neural
 * Networks, 2017). While every label has a single example, that factor is one over the mean distance between them. Of equally
 * near labels the first by alphabet comes first.
 *
 * @param base - From `loadBase`, or a model's own. It stays the caller's, and must live as long as the classifier, which goes by
 * the weights that it has now.
 * @param options - See {@link NearestCentroidOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `UNSUPPORTED_SOURCE` for features that cannot be compared, `EXAMPLES_MISMATCH` for
 * `examples` of another base, `DISPOSED`.
 *
 * @example
 * ```ts
 * const classifier = await nearestCentroid(base);
 * await classifier.add('cat.jpg', 'cat');
 * await classifier.add('dog.jpg', 'dog');
 * const [best] = await classifier.predict('dog.jpg');
 * console.log(best?.label, classifier.classCounts); // dog { cat: 1, dog: 1 }
 * const kept = JSON.stringify(classifier);
 * classifier.dispose();
 *
 * const again = await nearestCentroid(base, { examples: JSON.parse(kept) });
 * console.log(again.size); // 2
 * again.dispose();
 * ```
 */
export async function nearestCentroid(base: Base, options: NearestCentroidOptions = {}): Promise<ExampleClassifier> {
  assertOptions('nearestCentroid', options, { distance: true, pooling: true, examples: true });
  const { distance = 'cosine', pooling, examples } = options;
  assertOneOf('nearestCentroid', 'distance', distance, distances);
  return openClassifier({
    verb: 'nearestCentroid',
    base,
    pooling,
    examples,
    fit: (rows) => {
      const model = fitCentroids(rows, distance);
      return (features) => Promise.resolve(features.map((values) => centroidShares(model, vectorOf(values))));
    },
  });
}
