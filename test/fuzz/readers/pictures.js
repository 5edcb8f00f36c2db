// Pictures, decoded and resized as a base asks for.
import { tensors } from './values.js';

export const pictures = {
  name: 'pictures',
  share: 2,
  open: async (api) => {
    await api.useBackend('cpu');
    const seeds = await drawn();
    const preprocessor = api.imagePreprocessor({ size: [8, 8], mode: 'raw' });
    const read = async ({ picture }) => {
      const tensor = await preprocessor.apply(picture);
      try {
        return tensor.dataSync();
      } finally {
        tensor.dispose();
      }
    };
    return { seeds, tensors, read };
  },
};

/** One small picture in every format. */
async function drawn() {
  const { default: sharp } = await import('sharp');
  const [width, height] = [24, 20];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => 128 + 100 * Math.sin(i / 9));
  const picture = () => sharp(pixels, { raw: { width, height, channels: 3 } });
  const formats = {
    PNG: picture().png(),
    'PNG with a palette': picture().png({ palette: true }),
    JPEG: picture().jpeg(),
    'progressive JPEG': picture().jpeg({ progressive: true }),
    WebP: picture().webp(),
    'lossless WebP': picture().webp({ lossless: true }),
    GIF: picture().gif(),
    AVIF: picture().avif({ effort: 0 }),
    TIFF: picture().tiff(),
  };
  const made = Object.entries(formats).map(async ([name, format]) => {
    const bytes = new Uint8Array(await format.toBuffer());
    return {
      name,
      files: { picture: bytes },
      ...(name.startsWith('PNG') && { ranges: { picture: chunkRanges(bytes) } }),
    };
  });
  return Promise.all(made);
}

/** Type, data and CRC-32 of each of a PNG's chunks that are pixels. */
function chunkRanges(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ranges = [];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (['IHDR', 'PLTE', 'IDAT'].includes(type)) ranges.push([at + 8, at + 12 + view.getUint32(at)]);
  }
  return ranges;
}
