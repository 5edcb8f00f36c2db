// Decides by their extensions which files of a folder are pictures, and gives reasons for the others.
import { extname } from 'node:path';
import type { PictureFormat } from '../../core/pictureFormat.ts';
import { adviceAbout, endingsOf, formatOfEnding } from '../../core/undecodable.ts';
import type { Listing } from './listPictures.ts';
import { canDecode, loadSharp } from './sharp.ts';

/** Files of a folder that are not among its samples. */
export interface IgnoredFiles {
  /** Hidden files and folders: `.DS_Store`, `Thumbs.db`, `__MACOSX` and the like. */
  readonly hidden: number;
  /** Files without the extension of a picture. */
  readonly notImages: number;
  /** Pictures of formats that the installed sharp cannot decode, and SVG. */
  readonly undecodable: number;
  /** All of them, as paths relative to the folder. */
  readonly files: readonly string[];
  /** The reason for each of them, by its path: `{ 'cat/1.heic': 'HEIC: convert it to JPEG' }`. */
  readonly reasons: Readonly<Record<string, string>>;
}

/**
 * File extensions of the formats that the installed sharp decodes. If sharp is not installed yet, those of its standard
 * builds.
 */
export async function decodableEndings(): Promise<readonly string[]> {
  const usual: ReadonlySet<PictureFormat> = new Set(['JPEG', 'PNG', 'WebP', 'GIF', 'AVIF', 'TIFF']);
  const sharp = await loadSharp().catch(() => undefined);
  return endingsOf((format) => (sharp === undefined ? usual.has(format) : canDecode(sharp, format)));
}

/**
 * Returns the ignored files, with the reasons.
 *
 * @param decodable - Extensions that would be accepted if the user had not named others.
 */
export function ignoredFiles({ hidden, notImages }: Listing, decodable: readonly string[]): IgnoredFiles {
  const others = notImages.map((file) => {
    const ending = extname(file).slice(1).toLowerCase();
    const format = decodable.includes(ending) ? undefined : formatOfEnding(ending);
    const reason = decodable.includes(ending) ? 'not among the extensions' : 'not a picture';
    return { file, isPicture: format !== undefined, reason: format === undefined ? reason : adviceAbout(format) };
  });
  const reasons = [...hidden.map((file) => ({ file, reason: 'hidden' })), ...others];
  const undecodable = others.filter(({ isPicture }) => isPicture).length;
  return {
    hidden: hidden.length,
    notImages: notImages.length - undecodable,
    undecodable,
    files: [...hidden, ...notImages].sort(),
    reasons: Object.fromEntries(reasons.map(({ file, reason }) => [file, reason])),
  };
}
