// The function zipBlob: hands a saved model to the app, as one ZIP archive.
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from './core/errors.ts';
import { nameErrors } from './core/edge.ts';
import { kindOf } from './core/shown.ts';

/**
 * Makes a target for `save` and `writeBase` that packs the model into one ZIP archive and gives it to a function, which
 * uploads it or keeps it. `load` and `loadBase` take such a Blob back, also as a file or as bytes.
 *
 * @param use - Gets the archive (`application/zip`). The verb waits for what it returns, and raises `SAVE_FAILED` if it
 * throws or rejects.
 * @returns A tfjs IOHandler that saves.
 * @throws TransferKitError `INVALID_OPTION` for anything else than a function.
 *
 * @example
 * ```ts
 * import { load, save, zipBlob } from 'transferkit';
 * let archive = new Blob();
 * await save(model, zipBlob((blob) => void (archive = blob))); // or (blob) => fetch(address, { method: 'PUT', body: blob })
 * const again = await load(archive);
 * console.log(archive.type, again.task); // application/zip classes
 * ```
 */
export function zipBlob(use: (blob: Blob) => unknown): io.IOHandler {
  return nameErrors('zipBlob', () => {
    // Callers without TypeScript may pass any value.
    const given: unknown = use;
    if (typeof given !== 'function') {
      const text = `expected a function that takes the archive, got ${kindOf(given)}. Give (blob) => upload(blob).`;
      throw new TransferKitError('INVALID_OPTION', text);
    }
    return {
      save: async (artifacts) => {
        const { zipOfModel } = await import('./core/modelZip.ts');
        await use(new Blob([zipOfModel(artifacts)], { type: 'application/zip' }));
        return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
      },
    };
  });
}
