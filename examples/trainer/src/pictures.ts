// Pictures on their way in: any file that the browser decodes, made small and compressed.
import { texts } from './texts.ts';

/** The shorter side of a kept picture: a little more than networks look at. */
const side = 256;
const mostPixels = 100_000_000;

/** A file that is not taken, and why. */
export interface Refused {
  readonly name: string;
  readonly reason: string;
}

/**
 * Makes a file small: its shorter side gets at most 256 pixels.
 *
 * @returns A JPEG, or why there is none.
 */
export async function shrink(file: File): Promise<Blob | Refused> {
  const refused = (reason: string): Refused => ({ name: file.name, reason });
  if (file.size === 0) return refused(texts.files.empty);
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => undefined);
  if (bitmap === undefined) return refused(texts.files.notPicture);
  try {
    const { width, height } = bitmap;
    if (width * height > mostPixels) return refused(texts.files.tooLarge);
    return (await compress(bitmap)) ?? refused(texts.files.notPicture);
  } finally {
    bitmap.close();
  }
}

/** Whether a file was not taken. */
export function isRefused(value: Blob | Refused): value is Refused {
  return 'reason' in value;
}

async function compress(bitmap: ImageBitmap): Promise<Blob | undefined> {
  const scale = Math.min(1, side / Math.min(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return undefined;
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve) => {
    canvas.toBlob(
      (blob) => {
        resolve(blob ?? undefined);
      },
      'image/jpeg',
      0.9,
    );
  });
}

const addresses = new WeakMap<Blob, string>();

/** An address under which the page shows a picture. */
export function addressOf(blob: Blob): string {
  const address = addresses.get(blob) ?? URL.createObjectURL(blob);
  addresses.set(blob, address);
  return address;
}

/** Frees the address of a picture that is not shown any more. */
export function releaseAddress(blob: Blob): void {
  const address = addresses.get(blob);
  if (address === undefined) return;
  URL.revokeObjectURL(address);
  addresses.delete(blob);
}
