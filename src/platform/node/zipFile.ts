// A tfjs IOHandler that saves a model as one ZIP archive, which is replaced in one step.
import { dirname, resolve } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { makeFolder, replaceFile, type Undo } from './atomicFiles.ts';

/** Whether a path is that of a ZIP archive, by its ending. */
export function isZipPath(path: string): boolean {
  return /\.zip$/i.test(path);
}

/** Saves to the path of an archive. Missing folders before it are created. Raises SAVE_FAILED. */
export function openZip(location: string): io.IOHandler {
  const path = resolve(location);
  return {
    save: async (artifacts) => {
      const undo: Undo = [];
      try {
        const { zipOfModel } = await import('../../core/modelZip.ts');
        const bytes = zipOfModel(artifacts);
        await makeFolder(dirname(path), undo);
        await replaceFile(path, [bytes]);
      } catch (cause) {
        for (const step of undo.reverse()) await step().catch(() => undefined);
        const reason = cause instanceof Error ? cause.message : String(cause);
        const text = `expected to write a model to ${path}, but: ${reason}. What was there before is unchanged.`;
        throw new TransferKitError('SAVE_FAILED', text, { path, reason }, cause);
      }
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    },
  };
}
