// Where a function that rises crosses 0.

/**
 * The point above 0 where a rising function is 0, to a millionth of it. Doubling or halving from 1 finds two points around
 * it; between them lines are drawn (regula falsi), the end that stays weighed down so that both come nearer (Illinois).
 *
 * Dowell and Jarratt, "A modified regula falsi method for computing the root of an equation", 1971.
 *
 * @param rising - Below 0 near 0, above 0 far out.
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
  // Values that are lost in rounding may keep the ends apart: no more rounds than halving would take.
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
