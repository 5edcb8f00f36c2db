// Seeded randomness: one seed fixes every order and every draw. The only source of randomness in the package.

/** A generator of uniform numbers in [0, 1): mulberry32, 32 bits of state. */
export function randomGenerator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Derives a seed for one purpose from a seed and the numbers that identify the purpose (phase, epoch, step …). */
export function deriveSeed(seed: number, ...purpose: readonly number[]): number {
  let hash = (seed ^ 0x9e3779b9) >>> 0;
  for (const number of purpose) {
    hash = Math.imul(hash ^ number, 0x85ebca6b) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
    hash = (hash ^ (hash >>> 16)) >>> 0;
  }
  return hash;
}

/** Returns the numbers 0 … n - 1 in an order drawn by the seed (Fisher-Yates). */
export function permutation(size: number, seed: number): number[] {
  const order = Array.from({ length: size }, (_, i) => i);
  const random = randomGenerator(seed);
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
