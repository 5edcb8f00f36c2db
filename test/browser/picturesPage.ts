// What the test of pictures does inside the page: everything that a page can draw, and browsers without
// createImageBitmap.
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { settleLimits } from '../../src/core/pictureLimits.ts';
import { platform } from '../../src/platform/browser/platform.ts';
import {
  fromArrays,
  isTransferKitError,
  loadBase,
  predict,
  replaceHead,
  useBackend,
  type ImageInput,
} from '../../src/index.ts';

/** A decoded picture: its size, and the colours of its first and last pixel. */
export interface Seen {
  readonly size: readonly [width: number, height: number];
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** Made once. */
let large: Promise<File> | undefined;

const kinds = {
  canvas: () => canvasOf(),
  ImageBitmap: () => createImageBitmap(canvasOf()),
  VideoFrame: () => new VideoFrame(canvasOf(), { timestamp: 0 }),
  'img of SVG': () => Object.assign(new Image(), { src: svgAddress(drawing('width="8" height="4"')) }),
  'img of SVG with a viewBox only': () => Object.assign(new Image(), { src: svgAddress(drawing('')) }),
  SVGImageElement: () => svgImage(svgAddress(drawing('width="8" height="4"'))),
  'img of another origin': () => Object.assign(new Image(), { src: 'http://other.test/picture.png' }),
  'transparent PNG file': () =>
    fileOf('image/png', Object.assign(document.createElement('canvas'), { width: 4, height: 4 })),
  'PNG file': () => fileOf('image/png'),
  'JPEG file, turned': async () => turned(await fileOf('image/jpeg')),
  'damaged file': () => new File([Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16)], 'damaged.jpg'),
  'empty file': () => new File([], 'empty.jpg', { type: 'image/jpeg' }),
  'text file': () => new File(['Dear diary, today I saw a cat.'], 'diary.jpg', { type: 'image/jpeg' }),
  'file of 20 megapixels': () => (large ??= fileOf('image/jpeg', canvasOf(5472, 3648))),
  'closed ImageBitmap': async () => closed(await createImageBitmap(canvasOf())),
  'closed VideoFrame': () => closed(new VideoFrame(canvasOf(), { timestamp: 0 })),
  'SVGImageElement without picture': () => svgImage('data:,nothing'),
  'video without frame': () => videoOf(),
} satisfies Record<string, () => ImageInput | Promise<ImageInput>>;

/** Names of what is decoded. */
export type Kind = keyof typeof kinds;

/** What runs in the page. */
export interface PicturesInPage {
  decode(kind: Kind, maxPixels?: number): Promise<Seen>;
  /** Probabilities of a model, of all in one call. */
  predict(given: readonly Kind[]): Promise<readonly number[]>;
  /** Gives a video to `fromArrays`. */
  samplesOfVideo(): void;
  /** Has a browser without createImageBitmap. */
  dropImageBitmaps(): void;
}

declare global {
  interface Window {
    pictures?: PicturesInPage;
  }
}

/** By default 8 × 4 pixels; the left half red and the right half blue. */
function canvasOf(width = 8, height = 4): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  for (const [place, colour] of ['#ff0000', '#0000ff'].entries()) {
    context.fillStyle = colour;
    context.fillRect((place * width) / 2, 0, width / 2, height);
  }
  return canvas;
}

function drawing(size: string): string {
  const half = (x: number, colour: string) => `<rect x="${x}" width="4" height="4" fill="${colour}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 4" ${size}>${half(0, '#ff0000')}${half(4, '#0000ff')}</svg>`;
}

const svgAddress = (text: string) => `data:image/svg+xml,${encodeURIComponent(text)}`;

function svgImage(address: string): SVGImageElement {
  const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
  image.setAttribute('href', address);
  return image;
}

async function fileOf(type: string, canvas = canvasOf()): Promise<File> {
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, type, 1);
  });
  return new File([blob ?? ''], 'drawing');
}

/** A JPEG with an EXIF orientation of 6: its right side is the top of what was taken. */
async function turned(file: File): Promise<File> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const exif = [
    0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
  ];
  const segment = Uint8Array.from([0xff, 0xe1, 0, exif.length + 6, ...exif, 0, 0, 0, 0]);
  return new File([bytes.slice(0, 2), segment, bytes.slice(2)], 'turned.jpg');
}

function closed<Source extends { close(): void }>(source: Source): Source {
  source.close();
  return source;
}

/** Shows its first frame after a while. */
function videoOf(): HTMLVideoElement {
  const video = document.createElement('video');
  video.srcObject = canvasOf().captureStream(0);
  return video;
}

/** Errors as text that says their code. */
function told(error: unknown): never {
  throw new Error(isTransferKitError(error) ? `${error.code} ${error.message}` : `raw ${String(error)}`);
}

async function decode(kind: Kind, maxPixels = 1e8): Promise<Seen> {
  const limits = settleLimits({ maxPixels });
  const { width, height, data } = await platform.decodePicture(await kinds[kind](), { limits });
  return { size: [width, height], first: Array.from(data.slice(0, 3)), last: Array.from(data.slice(-3)) };
}

async function predictAll(given: readonly Kind[]): Promise<number[]> {
  await useBackend('cpu');
  const network = sequential();
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  network.add(layers.conv2d({ inputShape: [4, 8, 3], filters: 4, kernelSize: 3, kernelInitializer, name: 'first' }));
  network.add(layers.globalAveragePooling2d({ name: 'pool' }));
  network.add(layers.dense({ units: 2, kernelInitializer, name: 'last' }));
  using model = replaceHead(await loadBase(network, { preprocess: 'unit' }), { labels: ['a', 'b'], seed: 1 });
  const predicted = await predict(model, await Promise.all(given.map(async (kind) => kinds[kind]())));
  return predicted.map((all) => all.find(({ label }) => label === 'a')?.probability ?? NaN);
}

window.pictures = {
  decode: (kind, maxPixels) => decode(kind, maxPixels).catch(told),
  predict: (given) => predictAll(given).catch(told),
  samplesOfVideo() {
    try {
      fromArrays({ inputs: [videoOf()], targets: ['a'] });
    } catch (error) {
      told(error);
    }
  },
  dropImageBitmaps() {
    Reflect.deleteProperty(window, 'createImageBitmap');
  },
};
