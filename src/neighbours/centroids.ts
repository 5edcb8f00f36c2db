// One centroid for each label.
import { labelsOf, type LabelledVector } from './keptExample.ts';
import { separation, vectorOf, type Distance, type Vector } from './separation.ts';
import { sharesOf, steepnessFor, type Judged } from './distanceTemperature.ts';

/** The centre of the examples of one label. */
interface Centroid extends Vector {
  readonly label: string;
  readonly examples: number;
}

/** Centroids, and how their distances become probabilities. */
export interface CentroidModel {
  readonly centroids: readonly Centroid[];
  readonly distance: Distance;
  readonly steepness: number;
}

/**
 * Finds the centroids of examples: means; for the cosine distance sums of the features scaled to length 1, whose length does
 * not matter. The steepness of the probabilities is that with which each example, left out of its own centroid, gets its
 * label.
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

/** Share of each label, the nearest centroid's first; of equally near ones the first by alphabet. */
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

/** How far an example is from the centroid of the others of its label. */
function leftOut(distance: Distance, { norm }: Vector, centroid: Centroid, separated: number): number {
  const { examples } = centroid;
  if (distance === 'euclidean') return separated * (examples / (examples - 1)) ** 2;
  if (norm === 0) return 1;
  // Of the sum s and the example's direction u: the angle between u and s - u.
  const along = (1 - separated) * centroid.norm - 1;
  const rest = Math.sqrt(Math.max(0, centroid.norm ** 2 - 2 * (along + 1) + 1));
  return rest === 0 ? 1 : 1 - along / rest;
}

/** With a single example of each label nothing is known of how they vary: one over their mean distance from each other. */
function steepnessBetween(centroids: readonly Centroid[], distance: Distance): number {
  const apart = centroids.flatMap((a, place) => centroids.slice(0, place).map((b) => separation(distance, a, b)));
  const total = apart.reduce((sum, each) => sum + each, 0);
  return total === 0 ? 0 : apart.length / total;
}
