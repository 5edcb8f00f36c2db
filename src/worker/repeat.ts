// Repeats asynchronous work at the pace of whoever uses its results.

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
    const left = 1000 / maxPerSecond - (performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, left));
  }
}
