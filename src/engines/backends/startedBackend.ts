// The instances of backends that tfjs has started.
import { engine, type KernelBackend } from '@tensorflow/tfjs-core';

/** Returns the instance of a backend that has started. */
export function startedBackend(name: string): KernelBackend | undefined {
  return engine().registry[name];
}
