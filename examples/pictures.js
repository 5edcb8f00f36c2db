// Pictures made of emoji for the examples of tasks: drawn in memory, with everything that there is to say about them.
import sharp from 'sharp';

const pixels = 96;

/**
 * A picture, 96 pixels in width and height, of drawings on a grey background: PNG bytes.
 *
 * @param {readonly { svg: string, size?: number, left?: number, top?: number }[]} drawings - Sizes and places in pixels.
 * @param {number} lightness - Of the background, 0 (black) … 1 (white).
 */
export async function drawPicture(drawings, lightness = 1) {
  const grey = Math.round(lightness * 255);
  const background = { r: grey, g: grey, b: grey };
  const layers = await Promise.all(
    drawings.map(async ({ svg, size = pixels, left = 0, top = 0 }) => ({
      input: await sharp(Buffer.from(svg)).resize(size, size).png().toBuffer(),
      left,
      top,
    })),
  );
  const canvas = sharp({ create: { width: pixels, height: pixels, channels: 3, background } });
  return canvas.composite(layers).png().toBuffer();
}

/** Numbers from 0 to below 1, the same in every run. */
export function numbers(seed) {
  let state = seed;
  return () => {
    // A linear congruential generator is random enough for examples.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
