// Finds the root of a rising function.

/**
 * The positive root of a rising function, to a relative error of 1e-6. Doubling or halving from 1 brackets it; then
 * regula falsi with the Illinois modification narrows the bracket.
 *
 * Dowell and Jarratt, "A modified regula falsi method for computing the root of an equation", 1971.
 *
 * @param rising - Negative near 0, positive for large arguments.
 */
export function monotoneRoot(rising: (point: number) => number): number {
  let low: End = { at: 1, value: rising(1) };
  let high = low;
  while (high.value < 0) [low, high] = [high, endAt(rising, high.at * 2)];
  while (low.value >= 0) [low, high] = [endAt(rising, low.at / 2), low];
  return between(rising, low, high);
}

interface End {
  readonly at: number;
  readonly value: number;
}

function endAt(rising: (point: number) => number, at: number): End {
  return { at, value: rising(at) };
}

/**
 * @param low - Below 0.
 * @param high - At 0 or above.
 */
function between(rising: (point: number) => number, low: End, high: End): number {
  let newest = high;
  let wasBelow: boolean | undefined;
  // Rounding may keep the ends apart: at most as many rounds as bisection would need.
  for (let round = 0; round < 50 && newest.value !== 0 && high.at - low.at > 1e-6 * high.at; round++) {
    newest = endAt(rising, (low.at * high.value - high.at * low.value) / (high.value - low.value));
    const isBelow = newest.value < 0;
    const stays = isBelow === wasBelow ? 0.5 : 1;
    wasBelow = isBelow;
    if (isBelow) [low, high] = [newest, { at: high.at, value: high.value * stays }];
    else [low, high] = [{ at: low.at, value: low.value * stays }, newest];
  }
  return newest.at;
}
