// Whether memory stayed flat over a soak. Pure.

/** By what share the resident size may differ between the two halves: it follows the garbage collector. */
const slack = 0.05;

/**
 * Judges rows of `{ tensors, wasmHeap, rss }`, the first of which is warm-up.
 *
 * Flat means: the same number of tensors in every row, a heap of wasm that does not grow any more, and a resident size
 * that in the second half is nowhere more than 5 % above its largest in the first.
 */
export function judgeSoak(rows) {
  const warm = rows.slice(1);
  const [first] = warm;
  const later = warm.slice(Math.ceil(warm.length / 2));
  const earlier = warm.slice(0, Math.ceil(warm.length / 2));
  const largest = (some) => Math.max(...some.map(({ rss }) => rss));
  const growing = [
    ...(warm.some(({ tensors }) => tensors !== first.tensors) ? ['tensors'] : []),
    ...(warm.some(({ wasmHeap }) => wasmHeap > first.wasmHeap) ? ['the heap of wasm'] : []),
    ...(largest(later) > (1 + slack) * largest(earlier) ? ['resident memory'] : []),
  ];
  return { flat: growing.length === 0, text: growing.length === 0 ? 'flat' : `not flat: ${growing.join(', ')}` };
}
