// Which examples go where in a cross-validation: drawn by the seed, every class spread evenly.
import { deriveSeed, permutation } from '../../core/random.ts';

/**
 * Positions of at most `most` examples, in rising order, so that every class keeps its share and at least two examples
 * where there is room.
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
 * Number of the fold of each example. Folds differ by one example at most, in all and in every class; a class of two or
 * more is in at least two of them.
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

/** Positions of the examples of each class, each class in an order of its own. */
function shuffledClasses(classes: readonly number[], seed: number): number[][] {
  const groups: number[][] = [];
  classes.forEach((label, position) => (groups[label] ??= []).push(position));
  return groups.map((members, label) =>
    permutation(members.length, deriveSeed(seed, label)).map((rank) => members[rank] ?? 0),
  );
}
