// Centroids of labels, and the probabilities of labels from distances to them.
import { labelsOf, type LabelledVector } from './keptExample.ts';
import { separation, vectorOf, type Distance, type Vector } from './separation.ts';
import { sharesOf, steepnessFor, type Judged } from './distanceTemperature.ts';

/** The centroid of the examples of one label. */
interface Centroid extends Vector {
  readonly label: string;
  readonly examples: number;
}

/** Centroids, and the steepness that converts their distances to probabilities. */
export interface CentroidModel {
  readonly centroids: readonly Centroid[];
  readonly distance: Distance;
  readonly steepness: number;
}

/**
 * Computes the centroids of examples. They are means; for the cosine distance they are sums of the features scaled to
 * length 1, because only their direction matters. The steepness of the probabilities is fitted to distances from each
 * example to the centroids, its own centroid computed without it.
 */
export function fitCentroids(examples: readonly LabelledVector[], distance: Distance): CentroidModel {
  const centroids = labelsOf(examples).map((label) => {
    return centroidOf(
      examples.filter((each) => each.label === label),
      label,
      distance,
    );
  });
  return { centroids, distance, steepness: steepnessOf(examples, centroids, distance) };
}

/** Share of each label, the nearest centroid's first. Equal distances are sorted alphabetically. */
export function centroidShares({ centroids, distance, steepness }: CentroidModel, query: Vector): Map<string, number> {
  const separations = centroids.map((centroid) => separation(distance, query, centroid));
  const shares = sharesOf(separations, steepness);
  const order = [...centroids.keys()].sort((a, b) => (separations[a] ?? 0) - (separations[b] ?? 0));
  return new Map(order.map((place) => [centroids[place]?.label ?? '', shares[place] ?? 0]));
}

function centroidOf(examples: readonly LabelledVector[], label: string, distance: Distance): Centroid {
  const centre = new Float64Array(examples[0]?.values.length ?? 0);
  for (const { values, norm } of examples) {
    const factor = distance === 'euclidean' ? 1 / examples.length : norm === 0 ? 0 : 1 / norm;
    for (let i = 0; i < centre.length; i++) centre[i] = (centre[i] ?? 0) + factor * (values[i] ?? 0);
  }
  return { ...vectorOf(centre), label, examples: examples.length };
}

function steepnessOf(examples: readonly LabelledVector[], centroids: readonly Centroid[], distance: Distance): number {
  if (centroids.length < 2) return 0;
  const places = new Map(centroids.map(({ label }, place) => [label, place]));
  const judged = examples.flatMap((example): Judged[] => {
    const own = places.get(example.label) ?? 0;
    const centroid = centroids[own];
    if (centroid === undefined || centroid.examples < 2) return [];
    const separations = centroids.map((each) => separation(distance, example, each));
    separations[own] = leftOut(distance, example, centroid, separations[own] ?? 0);
    return [{ separations, own }];
  });
  return judged.length === 0 ? steepnessBetween(centroids, distance) : steepnessFor(judged);
}

/** Distance from an example to the centroid of the other examples of its label. */
function leftOut(distance: Distance, { norm }: Vector, centroid: Centroid, separated: number): number {
  const { examples } = centroid;
  if (distance === 'euclidean') return separated * (examples / (examples - 1)) ** 2;
  if (norm === 0) return 1;
  // With the sum s and the example's direction u: the angle between u and s - u.
  const along = (1 - separated) * centroid.norm - 1;
  const rest = Math.sqrt(Math.max(0, centroid.norm ** 2 - 2 * (along + 1) + 1));
  return rest === 0 ? 1 : 1 - along / rest;
}

/**
 * Steepness with a single example of each label, whose variation is unknown: one over the mean distance between them.
 */
function steepnessBetween(centroids: readonly Centroid[], distance: Distance): number {
  const apart = centroids.flatMap((a, place) => centroids.slice(0, place).map((b) => separation(distance, a, b)));
  const total = apart.reduce((sum, each) => sum + each, 0);
  return total === 0 ? 0 : apart.length / total;
}
