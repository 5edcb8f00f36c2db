// The function zipDownload: the user of a page downloads a saved model, as one ZIP archive.
import { io } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { nameErrors } from '../../core/edge.ts';
import { shown } from '../../core/shown.ts';

/** Some browsers read the archive a while after the click, when the user has chosen a place for it. */
const keptMilliseconds = 60_000;

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
    if (typeof document === 'undefined') {
      const text = 'expected a page, got a worker or Node, which download nothing. Save to zipBlob(…) of transferkit.';
      throw new TransferKitError('INVALID_OPTION', text);
    }
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

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, keptMilliseconds);
}
