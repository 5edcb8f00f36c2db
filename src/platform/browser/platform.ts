// The platform of browsers: addresses, pictures decoded by the browser, backends. The imports map chooses it under the
// name #platform. Importing it has no effects, and a page loads most of its code on first use.
import type { Platform } from '../../core/platform.ts';
import { browserBackends } from './backends.ts';
import { freeMemory } from './freeMemory.ts';
import { returnPixels } from './pixels.ts';
import { browserThreads } from './threads.ts';
import { browserWorkers } from './workers.ts';

/** The platform of a page or worker. */
export const platform: Platform = {
  name: 'browser',
  backends: browserBackends,
  threads: browserThreads,
  workers: browserWorkers,
  readFile: async (location, options) => (await import('./readBytes.ts')).readFile(location, options),
  readBytes: async (location, options) => (await import('./readBytes.ts')).readBytes(location, options),
  sha256: async (bytes) => (isSecureContext ? (await import('./readBytes.ts')).hashOf('sha256', bytes) : undefined),
  download: async (name, file) => {
    const { assertDownloads, download } = await import('./download.ts');
    assertDownloads('Give an object whose write(file) sends the Blob to the page.');
    download(file, name);
  },
  modelStore: (name) => ({
    save: async (artifacts) => (await import('./modelDatabase.ts')).storeModel(name, artifacts),
    load: async () => (await import('./modelDatabase.ts')).storedModel(name),
  }),
  decodePicture: async (source, options) => (await import('./decodePicture.ts')).decodePicture(source, options),
  releasePixels: returnPixels,
  freeMemory,
  openScratch: async (plan) => (await import('./scratch.ts')).openScratch(plan),
  clearScratch: async () => (await import('./scratch.ts')).clearScratch(),
  holdCheckpoints: async (location) => (await import('./checkpoints.ts')).holdCheckpoints(location),
  openCheckpoints: async (location) => (await import('./checkpoints.ts')).openCheckpoints(location),
};
