// The function zipDownload: the user of a page downloads a saved model, as one ZIP archive.
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { nameErrors } from '../../core/edge.ts';
import { shown } from '../../core/shown.ts';
import { assertDownloads, download } from './download.ts';

/**
 * Makes a target for `save` and `writeBase` that downloads the model as one ZIP archive, `name.zip`, with `model.json`
 * and its weights. `load` takes the archive back, in Node by its path, in a page as the File that the user opens.
 *
 * The verb ends when the browser has the archive: whether the user keeps it, a page is not told. Browsers may ask the
 * user before a page's second download.
 *
 * @param name - Name of the file; `.zip` is added where it is missing.
 * @returns A tfjs IOHandler that saves.
 * @throws TransferKitError `INVALID_OPTION` without a name; in a worker, which cannot download: there save to a
 * `zipBlob` and send the Blob to the page.
 *
 * @example
 * ```ts
 * // in a page:
 * import { zipDownload } from 'transferkit/browser';
 * await save(model, zipDownload('my-model'));
 * ```
 */
export function zipDownload(name: string): io.IOHandler {
  return nameErrors('zipDownload', () => {
    // Callers without TypeScript may pass any value.
    const given: unknown = name;
    if (typeof given !== 'string' || given.trim() === '') {
      throw new TransferKitError('INVALID_OPTION', `expected a name for the file, got ${shown(given)}.`, {
        name: given,
      });
    }
    assertDownloads('Save to zipBlob(…) of transferkit.');
    return {
      save: async (artifacts) => {
        const { zipOfModel } = await import('../../core/modelZip.ts');
        download(new Blob([zipOfModel(artifacts)], { type: 'application/zip' }), withEnding(given));
        return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
      },
    };
  });
}

function withEnding(name: string): string {
  return /\.zip$/i.test(name) ? name : `${name}.zip`;
}
