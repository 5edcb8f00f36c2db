// The verb nearestCentroid: a classifier by the nearest mean of a label's examples.
import { nameErrors } from './core/edge.ts';
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
   * `'euclidean'`: a centroid is the mean of the features. `'cosine'`: the mean of their directions; lengths have no
   * effect. Default `'cosine'`.
   */
  readonly distance?: Distance;
  /** How feature maps become vectors. Default: that of `examples` if given, else `'average'`. */
  readonly pooling?: Pooling;
  /** Examples to start with: `toJSON()` of a `knn` or `nearestCentroid` classifier on the same base. */
  readonly examples?: ExampleSet;
}

/**
 * Makes a nearest-centroid classifier on features of the base, as scikit-learn's `NearestCentroid` (prototypes in Snell
 * et al., Prototypical Networks for Few-shot Learning, 2017). Examples are added one by one, and can be removed again.
 * Nothing is trained. It needs fewer examples than `knn`, and the cost of a prediction does not grow with their number.
 *
 * Probabilities are the softmax of −factor × distance, with the squared Euclidean or the cosine distance. The factor
 * maximises the likelihood of the kept examples, each left out of its own centroid (temperature scaling; Guo et al., On
 * Calibration of Modern Neural Networks, 2017). If every label has a single example, the factor is one over the mean
 * distance between them. Equally near labels are in alphabetical order.
 *
 * @param base - From `loadBase`, or a model's own. The caller disposes of it, after the classifier. The classifier uses
 * the weights that the base has now.
 * @param options - See {@link NearestCentroidOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `UNSUPPORTED_SOURCE` for features that cannot be compared,
 * `EXAMPLES_MISMATCH` for
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
  return nameErrors('nearestCentroid', () => {
    assertOptions(options, { distance: true, pooling: true, examples: true });
    const { distance = 'cosine', pooling, examples } = options;
    assertOneOf('distance', distance, distances);
    return openClassifier({
      maker: 'nearestCentroid',
      base,
      pooling,
      examples,
      fit: (rows) => {
        const model = fitCentroids(rows, distance);
        return (features) => Promise.resolve(features.map((values) => centroidShares(model, vectorOf(values))));
      },
    });
  });
}
