// What a browser offers the rest of the package: addresses, pictures by the browser's own decoder, backends. Chosen by
// the imports map under the name #platform. Importing it has no effects, and a page loads most of it only when it is used.
import type { Platform } from '../../core/platform.ts';
import { browserBackends } from './backends.ts';
import { freeMemory } from './freeMemory.ts';
import { browserThreads } from './threads.ts';

/** The environment that is a browser's page or worker. */
export const platform: Platform = {
  name: 'browser',
  backends: browserBackends,
  threads: browserThreads,
  readFile: async (location, options) => (await import('./readBytes.ts')).readFile(location, options),
  readBytes: async (location, options) => (await import('./readBytes.ts')).readBytes(location, options),
  sha256: async (bytes) => (isSecureContext ? (await import('./readBytes.ts')).hashOf('sha256', bytes) : undefined),
  decodePicture: async (source, options) => (await import('./decodePicture.ts')).decodePicture(source, options),
  freeMemory,
  openScratch: async (plan) => (await import('./scratch.ts')).openScratch(plan),
  clearScratch: async () => (await import('./scratch.ts')).clearScratch(),
  openCheckpoints: async (location) => (await import('./checkpoints.ts')).openCheckpoints(location),
};
