// Recognises base64 text given where a path or an address is expected: a common mistake that file systems do not
// explain.
import { bytesOfBase64 } from './base64.ts';
import { TransferKitError } from './errors.ts';
import { formatOf } from './pictureFormat.ts';

/** Shorter text may be a path. */
const leastLength = 40;
/** No file system has names of that length. */
const longestName = 255;

/** Prefix to write before the base64 text of each format. */
const types: Readonly<Record<string, string>> = {
  JPEG: 'image/jpeg',
  PNG: 'image/png',
  GIF: 'image/gif',
  WebP: 'image/webp',
  AVIF: 'image/avif',
  TIFF: 'image/tiff',
  BMP: 'image/bmp',
};

/** The error for base64 text given as a path or address; undefined when the text does not look like base64. */
export function base64AsPath(text: string, cause: unknown): TransferKitError | undefined {
  if (text.length < leastLength || !/^[\w+/=\s-]+$/.test(text)) return undefined;
  const start = text.replace(/\s/g, '').slice(0, leastLength).replaceAll('-', '+').replaceAll('_', '/');
  const isCode = /^[\w+/]{40}$/.test(start);
  const format = isCode ? formatOf(bytesOfBase64(start)) : undefined;
  // Text that does not start like a picture may be a path without an extension.
  if (format === undefined && (text.length <= longestName || text.includes('/'))) return undefined;
  const kind = format === undefined ? '' : `, of ${format}`;
  const prefix = `data:${types[format ?? ''] ?? 'image/…'};base64,`;
  return new TransferKitError(
    'NOT_FOUND',
    `expected a path, an address or bytes, got what looks like base64 text${kind}: '${text.slice(0, 30)}…' ` +
      `(${String(text.length)} characters). Put '${prefix}' in front of it, or decode it to bytes.`,
    { characters: text.length, format },
    cause,
  );
}
