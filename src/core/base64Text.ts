// Base64 that is given where a path or an address is wanted: a usual mistake, which no file system explains.
import { TransferKitError } from './errors.ts';
import { formatOf } from './pictureFormat.ts';

/** Shorter text may be a path. */
const leastLength = 40;
/** No file system has names of that length. */
const longestName = 255;

/** What to write in front of base64 of each format. */
const types: Readonly<Record<string, string>> = {
  JPEG: 'image/jpeg',
  PNG: 'image/png',
  GIF: 'image/gif',
  WebP: 'image/webp',
  AVIF: 'image/avif',
  TIFF: 'image/tiff',
  BMP: 'image/bmp',
};

/** The error for base64 text in the place of a path or address; undefined when a text does not look like that. */
export function base64AsPath(text: string, cause: unknown): TransferKitError | undefined {
  if (text.length < leastLength || !/^[\w+/=\s-]+$/.test(text)) return undefined;
  const start = text.replace(/\s/g, '').slice(0, leastLength).replaceAll('-', '+').replaceAll('_', '/');
  const isCode = /^[\w+/]{40}$/.test(start);
  const format = isCode ? formatOf(Uint8Array.from(atob(start), (character) => character.charCodeAt(0))) : undefined;
  // Without a picture's beginning, it may be a path without an ending.
  if (format === undefined && (text.length <= longestName || text.includes('/'))) return undefined;
  const kind = format === undefined ? '' : `, of ${format}`;
  const prefix = `data:${types[format ?? ''] ?? 'image/…'};base64,`;
  return new TransferKitError(
    'NOT_FOUND',
    `decodePicture: expected a path, an address or bytes, got what looks like base64 text${kind}: '${text.slice(0, 30)}…' ` +
      `(${String(text.length)} characters). Put '${prefix}' in front of it, or decode it to bytes.`,
    { characters: text.length, format },
    cause,
  );
}
