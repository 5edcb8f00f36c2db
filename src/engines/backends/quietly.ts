// tfjs's warnings held back for a moment: the cpu backend greets in Node at its first tensor, and a backend that does
// not start prints its stack, which goes into our report instead.
import { env } from '@tensorflow/tfjs-core';

/** Runs `work` while tfjs prints nothing. `PROD` is the flag that tfjs's log obeys, and all that it changes. */
export async function quietly<T>(work: () => T | Promise<T>): Promise<T> {
  const before = env().getBool('PROD');
  env().set('PROD', true);
  try {
    return await work();
  } finally {
    env().set('PROD', before);
  }
}
