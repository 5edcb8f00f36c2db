// Suppresses tfjs's warnings for a short time: the cpu backend prints a notice in Node at its first tensor, and a
// backend that does not start prints its stack, which belongs in this package's report instead.
import { env } from '@tensorflow/tfjs-core';

/** Runs `work` while tfjs prints nothing. `PROD` is the flag that controls tfjs's log, and controls nothing else. */
export async function quietly<T>(work: () => T | Promise<T>): Promise<T> {
  const before = env().getBool('PROD');
  env().set('PROD', true);
  try {
    return await work();
  } finally {
    env().set('PROD', before);
  }
}
