// What a canvas can draw: elements of a page, bitmaps, frames of a video, and decoded files.
import { shortAddress } from '../../core/platform.ts';
import { unreadable } from './unreadable.ts';

/** Sources that a page can draw. */
export type Drawable =
  | HTMLImageElement
  | SVGImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame;

/** A picture that a canvas draws at once. */
export interface ReadyPicture {
  /** Its name in error texts. */
  readonly name: string;
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

/** Whether a value can be drawn. Browsers and workers lack some of the classes. */
export function isDrawable(source: unknown): source is Drawable {
  return (
    isImage(source) ||
    isSvgImage(source) ||
    isVideo(source) ||
    isFrame(source) ||
    isBitmap(source) ||
    (typeof HTMLCanvasElement !== 'undefined' && source instanceof HTMLCanvasElement) ||
    (typeof OffscreenCanvas !== 'undefined' && source instanceof OffscreenCanvas)
  );
}

/**
 * Waits until a source can be drawn, and returns its size.
 *
 * @throws TransferKitError `UNREADABLE`.
 */
export async function readyToDraw(source: Drawable): Promise<ReadyPicture> {
  if (isImage(source)) return readyImage(`the image element ${shortAddress(source.currentSrc || source.src)}`, source);
  if (isSvgImage(source)) {
    const address = source.href.baseVal;
    return readyImage(`the SVG image element ${shortAddress(address)}`, imageOf(source, address));
  }
  if (isVideo(source)) return readyVideo(source);
  if (isFrame(source)) {
    return open({ name: 'the VideoFrame', image: source, width: source.displayWidth, height: source.displayHeight });
  }
  const { width, height } = source;
  if (isBitmap(source)) return open({ name: 'the ImageBitmap', image: source, width, height });
  return { name: 'the given element', image: source, width, height };
}

/**
 * Decodes a file, upright; by an image element in browsers without createImageBitmap.
 *
 * @param name - Of the file in error texts.
 * @throws DOMException or Error with the reason.
 */
export async function openFile(name: string, blob: Blob): Promise<ReadyPicture & { close(): void }> {
  if (typeof createImageBitmap !== 'undefined') {
    const image = await createImageBitmap(blob, { imageOrientation: 'from-image' });
    const { width, height } = image;
    const close = () => {
      image.close();
    };
    return { name, image, width, height, close };
  }
  if (typeof Image === 'undefined') throw new Error('workers of this browser cannot decode: decode it in the page');
  const address = URL.createObjectURL(blob);
  const close = () => {
    URL.revokeObjectURL(address);
  };
  try {
    const image = Object.assign(new Image(), { src: address });
    await image.decode();
    return { name, image, width: image.naturalWidth, height: image.naturalHeight, close };
  } catch (error) {
    close();
    throw error;
  }
}

function isImage(source: unknown): source is HTMLImageElement {
  return typeof HTMLImageElement !== 'undefined' && source instanceof HTMLImageElement;
}

function isSvgImage(source: unknown): source is SVGImageElement {
  return typeof SVGImageElement !== 'undefined' && source instanceof SVGImageElement;
}

function isVideo(source: unknown): source is HTMLVideoElement {
  return typeof HTMLVideoElement !== 'undefined' && source instanceof HTMLVideoElement;
}

function isFrame(source: unknown): source is VideoFrame {
  return typeof VideoFrame !== 'undefined' && source instanceof VideoFrame;
}

function isBitmap(source: unknown): source is ImageBitmap {
  return typeof ImageBitmap !== 'undefined' && source instanceof ImageBitmap;
}

async function readyImage(name: string, image: HTMLImageElement): Promise<ReadyPicture> {
  await image.decode().catch((cause: unknown) => {
    throw unreadable(name, cause);
  });
  // Some browsers give no size of its own to an SVG without width and height.
  const [width, height] = [image.naturalWidth || image.width, image.naturalHeight || image.height];
  if (width > 0 && height > 0) return { name, image, width, height };
  throw unreadable(name, 'it has no size', 'Give the picture width and height.');
}

/** Its picture at full size, which need not be that of the element. */
function imageOf({ baseURI, crossOrigin }: SVGImageElement, address: string): HTMLImageElement {
  const image = Object.assign(new Image(), { crossOrigin });
  image.src = new URL(address, baseURI).href;
  return image;
}

/** Before its first frame, a canvas would draw nothing. */
function readyVideo(image: HTMLVideoElement): ReadyPicture {
  const name = 'the video element';
  const { videoWidth: width, videoHeight: height } = image;
  if (image.readyState >= image.HAVE_CURRENT_DATA) return { name, image, width, height };
  throw unreadable(name, 'it shows no frame yet', "Wait for its event 'loadeddata'.");
}

/** What has been closed has no size any more. */
function open(picture: ReadyPicture): ReadyPicture {
  if (picture.width > 0) return picture;
  throw unreadable(picture.name, 'it has been closed', 'Keep it open until the verb that reads it returns.');
}
