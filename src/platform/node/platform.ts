// The platform of Node: files, addresses, pictures decoded by sharp, backends. The imports map chooses it under the
// name #platform. Importing it has no effects: sharp and the backends are loaded on first use.
import type { io } from '@tensorflow/tfjs-core';
import type { Platform } from '../../core/platform.ts';
import { releaseBytes } from '../../core/releaseBytes.ts';
import { nodeBackends } from './backends.ts';
import { openCheckpoints } from './checkpoints.ts';
import { decodePicture } from './decodePicture.ts';
import { openFolder } from './fileSystem.ts';
import { openHdf5 } from './hdf5OnDisk.ts';
import { localPath } from './localPath.ts';
import { loadOnnxRuntime } from './onnxRuntime.ts';
import { hashOf, readBytes, readFile } from './readBytes.ts';
import { saveFile } from './saveFile.ts';
import { openScratch } from './scratchFile.ts';
import { clearScratch } from './scratchNames.ts';
import { nodeThreads } from './threads.ts';
import { nodeWorkers } from './workers.ts';
import { isZipPath, openZip } from './zipFile.ts';

/** The platform of Node. */
export const platform: Platform = {
  name: 'node',
  backends: nodeBackends,
  threads: nodeThreads,
  workers: nodeWorkers,
  onnxRuntime: loadOnnxRuntime,
  readFile,
  readBytes,
  sha256: (bytes) => hashOf('sha256', bytes),
  placeToSave: (location) => placeToSave(localPath(location)),
  saveFile: (location, bytes) => saveFile(localPath(location), () => bytes),
  openHdf5,
  decodePicture,
  releasePixels: releaseBytes,
  // Respects the limits of a container.
  freeMemory: () => process.availableMemory(),
  openScratch,
  clearScratch,
  openCheckpoints,
};

/** A folder, that of a model.json, or a ZIP archive. */
function placeToSave(path: string): io.IOHandler {
  return isZipPath(path) ? openZip(path) : openFolder(path.replace(/(^|[/\\])model\.json$/, '') || '.');
}
