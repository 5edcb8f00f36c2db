// Files that the user dropped on a page, those inside dropped folders included.
import { nameErrors } from '../../core/edge.ts';
import { TransferKitError } from '../../core/errors.ts';
import { isHiddenName } from '../../core/hiddenFiles.ts';
import { isObject } from '../../core/optionChecks.ts';
import { kindOf } from '../../core/shown.ts';

/**
 * Lists the files that were dropped on a page. Folders are read at any depth; files in them have their path in
 * `webkitRelativePath`, as files of a folder chosen by an `<input webkitdirectory>`, so that `imageFiles` finds their
 * labels. Hidden files and those of systems (`.DS_Store`, `Thumbs.db`, `__MACOSX` …) are left out. Files are sorted by
 * path.
 *
 * Call it in the handler of `drop`, before any `await`: browsers empty a drop when its handler returns.
 *
 * @param dropped - `event.dataTransfer`.
 * @returns The files; [] for a folder without any.
 * @throws TransferKitError `NO_EXAMPLES` for a drop without files, or one that is over; `NOT_FOUND` for a file or folder
 * that cannot be read; `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { droppedFiles, imageFiles } from 'transferkit/browser';
 * document.ondragover = (event) => event.preventDefault(); // without it the browser opens what is dropped
 * document.ondrop = async (event) => {
 *   event.preventDefault();
 *   const samples = imageFiles(await droppedFiles(event.dataTransfer)); // photos/cat/1.jpg, photos/dog/1.jpg …
 *   console.log(samples.classCounts); // { cat: 1, dog: 1 }
 * };
 * ```
 */
export async function droppedFiles(dropped: DataTransfer | null): Promise<File[]> {
  return nameErrors('droppedFiles', async () => {
    assertDropped(dropped);
    // Before the first await: the browser empties the list as soon as the handler of the event returns.
    const found = Array.from(dropped.items)
      .filter(({ kind }) => kind === 'file')
      .flatMap((item) => entryOf(item) ?? item.getAsFile() ?? []);
    if (found.length === 0) throw nothingDropped(Array.from(dropped.types));
    const files = (await Promise.all(found.map(filesUnder))).flat();
    return files
      .map((file): [path: string, file: File] => [file.webkitRelativePath || file.name, file])
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, file]) => file);
  });
}

function assertDropped(dropped: unknown): asserts dropped is DataTransfer {
  if (isObject(dropped) && 'items' in dropped && 'types' in dropped) return;
  const text = `expected the dataTransfer of a drop, got ${kindOf(dropped)}. Pass event.dataTransfer.`;
  throw new TransferKitError('INVALID_OPTION', text, { received: kindOf(dropped) });
}

/** Some browsers have no entries; there a drop has files only. */
function entryOf(item: DataTransferItem): FileSystemEntry | null {
  return 'webkitGetAsEntry' in item ? item.webkitGetAsEntry() : null;
}

async function filesUnder(entry: FileSystemEntry | File): Promise<File[]> {
  if (isHiddenName(entry.name)) return [];
  if (entry instanceof File) return [entry];
  if (isFile(entry)) return [await fileOf(entry)];
  if (!isFolder(entry)) return [];
  const inside = await entriesOf(entry);
  return (await Promise.all(inside.map(filesUnder))).flat();
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

async function fileOf(entry: FileSystemFileEntry): Promise<File> {
  const file = await asked<File>(entry, (done, fail) => {
    entry.file(done, fail);
  });
  const path = entry.fullPath.replace(/^\//, '');
  // A file that was dropped itself has no folder.
  return path.includes('/') ? Object.defineProperty(file, 'webkitRelativePath', { value: path }) : file;
}

/** A reader gives at most 100 entries at a time in Chromium, all of them in other browsers; an empty list is the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    const some = await asked<FileSystemEntry[]>(folder, (done, fail) => {
      reader.readEntries(done, fail);
    });
    if (some.length === 0) return entries;
    for (const entry of some) entries.push(entry);
  }
}

async function asked<Answer>(
  { fullPath }: FileSystemEntry,
  ask: (done: (answer: Answer) => void, fail: (error: DOMException) => void) => void,
): Promise<Answer> {
  return new Promise<Answer>(ask).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `expected to read ${fullPath} of what was dropped, but: ${reason}. Drop it again.`;
    throw new TransferKitError('NOT_FOUND', text, { path: fullPath, reason }, cause);
  });
}

function nothingDropped(types: readonly string[]): TransferKitError {
  const text =
    types.length === 0
      ? 'expected a drop with files or folders, got an empty one. Call droppedFiles in the handler of the event, before any await.'
      : `expected a drop with files or folders, got ${types.join(', ')} only. Drop files from a folder of the computer.`;
  return new TransferKitError('NO_EXAMPLES', text, { size: 0 });
}
