// Ranks settings by what fine-tuning gains over the solved head.
import { keyOf } from './results.js';

/**
 * Names in the order of their mean gain over all draws, the best first. Each set counts the same.
 */
export function best(rows, draws, names) {
  const gains = new Map(names.map((name) => [name, meanGain(rows, draws, name)]));
  return [...names].sort((one, other) => gains.get(other) - gains.get(one));
}

/** Mean over the sets of the mean gain on their draws. */
function meanGain(rows, draws, name) {
  const sets = [...new Set(draws.map(({ set }) => set))];
  return mean(
    sets.map((set) =>
      mean(
        gainsOf(
          rows,
          draws.filter((each) => each.set === set),
          name,
        ),
      ),
    ),
  );
}

/** Gain over the head on each draw, in points. */
export function gainsOf(rows, draws, name) {
  const found = new Map(rows.map((row) => [keyOf(row), row]));
  return draws.flatMap((each) => {
    const row = found.get(keyOf({ ...each, name }));
    return row === undefined ? [] : [100 * (row.accuracy - row.head.accuracy)];
  });
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard error of a mean. */
export function standardError(values) {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / Math.max(values.length - 1, 1) / values.length);
}
