// Repeats asynchronous work at the pace of whoever uses its results.
import { pause } from '../core/pause.ts';

/** Pace of {@link repeat}. */
export interface RepeatPace {
  readonly maxPerSecond: number;
  readonly signal?: AbortSignal;
}

/** Gives one result after another. The next one is begun when the one before has been used, and not too early. */
export async function* repeat<Value>(
  work: () => Promise<Value>,
  { maxPerSecond, signal }: RepeatPace,
): AsyncGenerator<Value, void, void> {
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    const start = performance.now();
    const value = await work();
    if (isOver()) return;
    yield value;
    await pause(1000 / maxPerSecond - (performance.now() - start), signal === undefined ? [] : [signal]);
  }
}
