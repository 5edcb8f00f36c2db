// Samples from files that the user of a page selected: a folder, or files with their labels.
import { nameErrors } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import { isObject } from '../../core/optionChecks.ts';
import type { OnUnreadable, Samples } from '../../core/types.ts';
import { samplesOfArrays } from '../../data/samples/fromArrays.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Options of {@link imageFiles}. */
export interface ImageFilesOptions {
  /** Returns the label of a file. Default: the name of its folder, in a folder chosen with `webkitdirectory`. */
  readonly labelOf?: (file: File) => string;
  /** What a verb does with a picture that cannot be read. Default 'error'. */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * Makes samples from picture files. Files whose type is not `image/…` are left out.
 *
 * @param files - A FileList or array of files: chosen by an `<input>`, dropped (`await droppedFiles(event.dataTransfer)`),
 * or taken by a camera.
 * @param options - See {@link ImageFilesOptions}.
 * @throws TransferKitError `NO_EXAMPLES`, `INVALID_OPTION` for a file without a label.
 *
 * @example
 * ```ts
 * import { imageFiles } from 'transferkit/browser';
 * const picture = new File(['…'], 'rex.jpg', { type: 'image/jpeg' });
 * const samples = imageFiles([picture], { labelOf: () => 'dog' });
 * console.log(samples.classCounts); // { dog: 1 }
 * ```
 */
export function imageFiles(files: Iterable<File> | ArrayLike<File>, options: ImageFilesOptions = {}): Samples<File> {
  return nameErrors('imageFiles', () => {
    assertFiles(files);
    assertOptions(options, { labelOf: true, onUnreadable: true });
    const { labelOf = folderOf, onUnreadable } = options;
    const pictures = Array.from(files).filter((file) => file.type.startsWith('image/'));
    return samplesOfArrays({
      inputs: pictures,
      targets: pictures.map(labelOf),
      ids: pictures.map(pathOf),
      ...(onUnreadable === undefined ? {} : { onUnreadable }),
    });
  });
}

function assertFiles(files: unknown): void {
  if (!isObject(files) || !('items' in files && 'types' in files)) return;
  const text =
    'expected files, got a DataTransfer, whose folders are read later. Pass imageFiles(await droppedFiles(event.dataTransfer)).';
  throw new TransferKitError('INVALID_OPTION', text, { received: 'DataTransfer' });
}

/** Path within the chosen folder; only the name for a file that was chosen itself. */
function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}

function folderOf(file: File): string {
  const folder = pathOf(file).split('/').at(-2);
  if (folder !== undefined) return folder;
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected files of a chosen folder, whose subfolders are the labels, got '${file.name}' without a folder. Give labelOf.`,
    { file: file.name },
  );
}
