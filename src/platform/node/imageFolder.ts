// Samples from a folder of pictures, one subfolder for each label. It lists files; pictures are read later.
import { nameErrors } from '../../core/edge.ts';
import { join } from 'node:path';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import type { OnUnreadable, Samples } from '../../core/types.ts';
import { assertOnUnreadable, exampleAt, makeSamples } from '../../data/samples/defineSamples.ts';
import { decodableEndings, ignoredFiles, type IgnoredFiles } from './decodableFiles.ts';
import { folderRoot } from './folderRoot.ts';
import { listFolder, listPictures, type Listing } from './listPictures.ts';

/** Parts of a data set that was split beforehand. */
export type GivenPart = 'train' | 'validation' | 'test';

/** Samples from a folder: inputs are paths, ids are paths relative to the folder, targets are folder names. */
export interface ImageFolder extends Samples<string> {
  readonly ignored: IgnoredFiles;
  /** The existing parts, when the folder has them; {} otherwise. They share the labels of the whole folder. */
  readonly splits: Readonly<Partial<Record<GivenPart, Samples<string>>>>;
  /** Returns one of the existing parts. Raises `NOT_FOUND` with the list of existing parts. */
  part(name: GivenPart): Samples<string>;
}

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions {
  /** What a verb does with a picture that cannot be read. Default 'error'. */
  readonly onUnreadable?: OnUnreadable;
  /**
   * Extensions of picture files, in any case, with or without dot. Default: those of the formats that the installed
   * sharp decodes. For its standard builds these are jpg jpeg jpe jfif png webp gif avif tif tiff.
   */
  readonly extensions?: readonly string[];
}

const partNames: ReadonlyMap<string, GivenPart> = new Map([
  ['train', 'train'],
  ['validation', 'validation'],
  ['val', 'validation'],
  ['valid', 'validation'],
  ['test', 'test'],
]);

interface PictureFile {
  readonly path: string;
  readonly id: string;
  readonly label: string;
  readonly part: GivenPart | undefined;
}

/**
 * Makes samples from a folder with one subfolder for each label, `<folder>/<label>/…`, or with parts above the labels,
 * `<folder>/train/<label>/…` and `validation` (`val`, `valid`) or `test`. Pictures may be at any depth below their
 * label.
 *
 * Hidden files, files that are not pictures, and pictures that cannot be decoded (HEIC, BMP, SVG …) are left out and
 * listed in `ignored` with the reason. Symbolic links are followed. Files are sorted by path. Pictures are read later,
 * when a verb needs them.
 *
 * @param folder - Its path, or a `file:` URL.
 * @param options - See {@link ImageFolderOptions}.
 * @throws TransferKitError `NOT_FOUND` for a folder that does not exist or cannot be listed, `NO_EXAMPLES` for one
 * without pictures, `INVALID_OPTION` for pictures outside a label's folder.
 *
 * @example
 * ```ts
 * import { imageFolder } from 'transferkit/node';
 * const photos = await imageFolder('photos'); // photos/cat/1.jpg, photos/dog/1.jpg …
 * const { train, validation } = photos.split({ validation: 0.2, seed: 1 });
 * console.log(photos.labels, photos.classCounts, photos.ignored.files);
 * ```
 */
export async function imageFolder(folder: string | URL, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  return nameErrors('imageFolder', async () => {
    assertOptions(options, { onUnreadable: true, extensions: true });
    const { onUnreadable = 'error', extensions } = options;
    assertOnUnreadable(onUnreadable);
    const root = await folderRoot(folder);
    const decodable = await decodableEndings();
    const known = new Set(extensions === undefined ? decodable : checkedEndings(extensions));
    const found = await findPictures(root, known);
    const ignored = ignoredFiles(found, decodable);
    if (found.files.length === 0) throw noPictures(root, ignored, [...known]);
    const samplesOf = (files: readonly PictureFile[]): Samples<string> =>
      makeFolderSamples(files, found.labels, onUnreadable);
    const given = [...new Set(found.files.flatMap(({ part }) => part ?? []))];
    const splits: ImageFolder['splits'] = Object.fromEntries(
      given.map((name) => [name, samplesOf(found.files.filter(({ part }) => part === name))]),
    );
    return {
      ...samplesOf(found.files),
      ignored,
      splits,
      part: (name) => splits[name] ?? nameErrors('imageFolder', () => missingPart(root, name, given)),
    };
  });
}

function makeFolderSamples(
  files: readonly PictureFile[],
  labels: readonly string[],
  onUnreadable: OnUnreadable,
): Samples<string> {
  return makeSamples({
    size: files.length,
    target: (index) => exampleAt(files, index).label,
    read: (index) => {
      const { path, label, id } = exampleAt(files, index);
      return { input: path, target: label, id };
    },
    labels,
    onUnreadable,
  });
}

interface Found extends Listing {
  readonly files: PictureFile[];
  readonly labels: readonly string[];
}

async function findPictures(root: string, extensions: ReadonlySet<string>): Promise<Found> {
  const found = { files: [] as PictureFile[], hidden: [] as string[], notImages: [] as string[] };
  const labels = new Set<string>();
  for (const { part, folder } of await partsOf(root, extensions, found)) {
    const top = await listFolder(root, folder, extensions, found);
    if (top.pictures.length > 0) throw picturesWithoutLabel(root, folder, top.pictures);
    for (const label of top.folders) {
      labels.add(label);
      const ids = await listPictures(root, join(folder, label), extensions, found);
      found.files.push(...ids.map((id) => ({ path: join(root, id), id, label, part })));
    }
  }
  return { ...found, labels: [...labels].sort() };
}

interface Part {
  readonly part: GivenPart | undefined;
  /** Relative to the root. */
  readonly folder: string;
}

/**
 * The parts of a folder, or the folder itself. Subfolders count as parts when all of them have names of parts and at
 * least one contains folders, which are then labels. So `train` and `test` may also be labels, with pictures directly
 * inside.
 */
async function partsOf(root: string, extensions: ReadonlySet<string>, found: Listing): Promise<Part[]> {
  const whole = [{ part: undefined, folder: '' }];
  const { pictures, folders } = await listFolder(root, '', extensions, nowhere());
  const parts = folders.map((folder) => ({ part: partNames.get(folder.toLowerCase()), folder }));
  if (pictures.length > 0 || parts.some(({ part }) => part === undefined)) return whole;
  const insides = await Promise.all(folders.map((folder) => listFolder(root, folder, extensions, nowhere())));
  if (insides.every((inside) => inside.folders.length === 0)) return whole;
  for (const { part, folder } of parts) {
    const twin = parts.find((other) => other.part === part && other.folder !== folder);
    if (twin !== undefined) throw twoFolders(root, String(part), [folder, twin.folder]);
  }
  await listFolder(root, '', extensions, found); // files ignored next to the parts count too
  return parts;
}

function nowhere(): Listing {
  return { hidden: [], notImages: [] };
}

function checkedEndings(extensions: unknown): string[] {
  if (!Array.isArray(extensions) || extensions.length === 0 || !extensions.every((each) => typeof each === 'string')) {
    throw invalidOption("extensions to be a list of endings, such as ['jpg', 'png']", extensions);
  }
  return extensions.map((extension) => extension.replace(/^\./, '').toLowerCase());
}

function noPictures(root: string, { files, reasons }: IgnoredFiles, extensions: readonly string[]): TransferKitError {
  const named = files.map((file) =>
    /^(hidden|not a picture)$/.test(reasons[file] ?? '') ? file : `${file}, ${reasons[file] ?? ''}`,
  );
  const instead = files.length === 0 ? 'none' : `none (but ${some(named)})`;
  return new TransferKitError(
    'NO_EXAMPLES',
    `expected pictures (${extensions.join(', ')}) in ${root}/<label>/, got ${instead}.`,
    { path: root, ignored: files },
  );
}

function picturesWithoutLabel(root: string, folder: string, pictures: readonly string[]): TransferKitError {
  return new TransferKitError(
    'INVALID_OPTION',
    `expected one folder for each label, ${join(root, folder)}/<label>/<picture>, got ` +
      `${String(pictures.length)} ${pictures.length === 1 ? 'picture' : 'pictures'} without a label: ${some(pictures)}. Move each into the folder of its label, such ` +
      `as ${join(root, folder, 'cat', pictures[0]?.split('/').at(-1) ?? '')}.`,
    { path: root, pictures },
  );
}

function twoFolders(root: string, part: string, folders: readonly string[]): TransferKitError {
  const text = `expected one folder for part '${part}' in ${root}, got ${folders.join(' and ')}. Keep one of them.`;
  return new TransferKitError('INVALID_OPTION', text, { part, folders });
}

function missingPart(root: string, name: string, given: readonly string[]): never {
  const there =
    given.length === 0 ? 'no given parts (use split() to make some)' : given.map((part) => `'${part}'`).join(', ');
  const text = `expected a part '${name}' in ${root}, which has ${there}.`;
  throw new TransferKitError('NOT_FOUND', text, { part: name, parts: given });
}

function some(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${String(names.length - 5)} more`;
}
