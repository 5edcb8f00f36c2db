// A tfjs IOHandler that saves a model as one ZIP archive, which is replaced in one step.
import { io } from '@tensorflow/tfjs-core';
import { saveFile } from './saveFile.ts';

/** Whether a path is that of a ZIP archive, by its ending. */
export function isZipPath(path: string): boolean {
  return /\.zip$/i.test(path);
}

/** Saves to the path of an archive. Missing folders before it are created. Raises SAVE_FAILED. */
export function openZip(location: string): io.IOHandler {
  return {
    save: async (artifacts) => {
      await saveFile(location, async () => (await import('../../core/modelZip.ts')).zipOfModel(artifacts));
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    },
  };
}
