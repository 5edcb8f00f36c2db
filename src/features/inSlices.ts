// Inference that leaves the main thread of a page responsive: a batch runs in slices of a few milliseconds.
import { concat, dispose, getBackend, slice, type Tensor } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import { takeTurns } from '../core/takeTurns.ts';

/** How long a slice may take, in milliseconds. An example that takes longer is a slice of its own. */
const stretch = 20;

/** Computes the outputs of some examples. */
type Run = (input: Tensor) => Tensor | Promise<Tensor>;

/** Milliseconds an example took last, by network. */
const paces = new WeakMap<object, number>();

/**
 * Runs inference on a batch, and frees its input. The outputs do not depend on the division: examples are computed
 * independently of each other.
 *
 * @param network - Identifies the computation; its pace is remembered.
 * @param input - [b, …]
 * @param run - Computes the outputs [n, …] of n examples.
 * @returns The outputs [b, …], which the caller owns.
 */
export async function inSlices(network: object, input: Tensor, run: Run): Promise<Tensor> {
  const [size = 0] = input.shape;
  try {
    return size > 1 && blocksPage() ? await divide(network, input, run) : await run(input);
  } finally {
    dispose(input);
  }
}

/** Whether a computation would block the main thread of a page. Workers and Node may wait; other backends do not compute here. */
function blocksPage(): boolean {
  return !platform.threads.mayWait && ['wasm', 'cpu'].includes(getBackend());
}

async function divide(network: object, input: Tensor, run: Run): Promise<Tensor> {
  const [size = 0] = input.shape;
  const turn = takeTurns();
  const outputs: Tensor[] = [];
  try {
    for (let from = 0; from < size;) {
      const pace = paces.get(network);
      const wanted = pace === undefined ? 1 : Math.max(1, Math.floor(stretch / pace));
      const count = Math.min(wanted, size - from);
      const part = slice(input, from, count);
      const start = performance.now();
      try {
        outputs.push(await run(part));
      } finally {
        dispose(part);
      }
      paces.set(network, (performance.now() - start) / count);
      from += count;
      await turn();
    }
    return concat(outputs);
  } finally {
    dispose(outputs);
  }
}
