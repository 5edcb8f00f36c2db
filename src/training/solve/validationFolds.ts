// Assigns examples to the folds of a cross-validation: drawn by the seed, with every class spread evenly.
import { deriveSeed, permutation } from '../../core/random.ts';

/**
 * Positions of at most `most` examples, in rising order. Every class keeps its share, and at least two examples if
 * `most` allows it.
 */
export function drawExamples(classes: readonly number[], most: number, seed: number): number[] {
  const ranked = shuffledClasses(classes, seed).flatMap((members) =>
    members.map((position, rank) => ({ position, turn: rank < 2 ? 0 : (rank + 0.5) / members.length })),
  );
  ranked.sort((a, b) => a.turn - b.turn || a.position - b.position);
  return ranked
    .slice(0, most)
    .map(({ position }) => position)
    .sort((a, b) => a - b);
}

/**
 * Fold of each example. Sizes of folds differ by at most one example, in total and in every class. A class with two or
 * more examples is in at least two folds.
 */
export function assignFolds(classes: readonly number[], folds: number, seed: number): number[] {
  const assigned = new Array<number>(classes.length).fill(0);
  shuffledClasses(classes, seed)
    .flat()
    .forEach((position, turn) => {
      assigned[position] = turn % folds;
    });
  return assigned;
}

/** Positions of the examples of each class, each class in its own random order. */
function shuffledClasses(classes: readonly number[], seed: number): number[][] {
  const groups: number[][] = [];
  classes.forEach((label, position) => (groups[label] ??= []).push(position));
  return groups.map((members, label) =>
    permutation(members.length, deriveSeed(seed, label)).map((rank) => members[rank] ?? 0),
  );
}
