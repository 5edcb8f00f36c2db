// Finds out whether a backend keeps its numbers in 16 bits, as webgl does on many phones: training goes wrong there
// without an error.
import { add, backend, dispose, tensor1d, tidy, type KernelBackend } from '@tensorflow/tfjs-core';
import { warnOnce } from '../../core/warnOnce.ts';

/** Notes of the instances that have been checked; undefined for those of 32 bits. */
const checked = new WeakMap<KernelBackend, string | undefined>();

/** The console's warning appears once in a process. */
const warned = {};

/** Above the number of values up to which tfjs computes on the host. */
const count = 256;

/** Half the step from 1 to the next number of 16 bits (IEEE 754 binary16 has 10 bits after the point): 1 + step is 1 there. */
const step = 2 ** -11;

/**
 * Checks the active backend, once for each instance, and warns on the console where it computes with 16 bits.
 *
 * tfjs's `floatPrecision()` does not tell: it is 16 for every webgl.
 *
 * @returns The notes for the report: one, or none.
 */
export async function noteHalfPrecision(name: string, instance: KernelBackend): Promise<string[]> {
  if (!checked.has(instance)) checked.set(instance, (await keepsStep()) ? undefined : noteOf(name));
  const note = checked.get(instance);
  if (note === undefined) return [];
  warnOnce(warned, `useBackend: ${note}.`);
  return [note];
}

/** The note, while such a backend is active. */
export function halfPrecisionNotes(): string[] {
  const note = checked.get(backend());
  return note === undefined ? [] : [note];
}

async function keepsStep(): Promise<boolean> {
  const sums = tidy(() => add(tensor1d(new Float32Array(count).fill(1)), tensor1d(new Float32Array(count).fill(step))));
  try {
    const [sum] = await sums.data();
    return sum === 1 + step;
  } finally {
    dispose(sums);
  }
}

function noteOf(name: string): string {
  return (
    `the backend ${name} computes with 16 bits on this device: predictions have about three digits, and training may go wrong ` +
    `or end in NaN; train on useBackend('wasm')`
  );
}
