// A folder of JPEGs about as large and as hard to decode as photographs from the web: smooth light, edges, fine grain.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const longerSide = 500;
const jpeg = { quality: 90 };

/**
 * Writes `<folder>/<class>/<number>.jpg`, the longer side 500 pixels; the same pictures every time.
 *
 * @param photographs - Paths of pictures to take instead of drawn ones, enlarged or shrunk to that size.
 */
export async function writePictures(folder, count, classes, photographs = []) {
  for (let i = 0; i < count; i++) {
    const directory = join(folder, `class ${i % classes}`);
    await mkdir(directory, { recursive: true });
    const photograph = photographs[i];
    const bytes = await (photograph === undefined ? drawPicture(i) : fitPicture(photograph));
    await writeFile(join(directory, `${String(i).padStart(4, '0')}.jpg`), bytes);
  }
}

/** Paths of the JPEGs below a folder, in order. */
export async function findPhotographs(folder) {
  const found = await readdir(folder, { recursive: true });
  return found
    .filter((path) => path.endsWith('.jpg'))
    .sort()
    .map((path) => join(folder, path));
}

function fitPicture(path) {
  return sharp(path).resize(longerSide, longerSide, { fit: 'inside' }).jpeg(jpeg).toBuffer();
}

/** Clouds of four sizes on top of each other, a few shapes, and grain. */
async function drawPicture(seed) {
  const random = randomFrom(seed + 1);
  const shorterSide = longerSide * 0.75;
  const [width, height] = random() < 0.5 ? [longerSide, shorterSide] : [shorterSide, longerSide];
  const layers = [];
  for (const cells of [4, 12, 40, 120]) layers.push(await clouds(cells, width, height, random));
  const weights = [0.5, 0.25, 0.15, 0.1];
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) {
    let value = (random() - 0.5) * 10;
    for (let layer = 0; layer < layers.length; layer++) value += layers[layer][i] * weights[layer];
    pixels[i] = Math.max(0, Math.min(255, (value - 128) * 2 + 128));
  }
  const raw = { width, height, channels: 3 };
  const overlay = { input: Buffer.from(shapes(width, height, random)) };
  return sharp(pixels, { raw }).composite([overlay]).jpeg(jpeg).toBuffer();
}

/** Random colours on a grid, blown up smoothly. */
async function clouds(cells, width, height, random) {
  const grid = Uint8Array.from({ length: cells * cells * 3 }, () => random() * 256);
  const raw = { width: cells, height: cells, channels: 3 };
  return sharp(grid, { raw }).resize(width, height, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer();
}

function shapes(width, height, random) {
  const colour = () => `hsl(${random() * 360} ${random() * 100}% ${20 + random() * 60}%)`;
  const ellipses = Array.from({ length: 5 }, () => {
    const [x, y, rx, ry] = [width, height, width / 5, height / 5].map((scale) => random() * scale);
    return `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${colour()}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${ellipses.join('')}</svg>`;
}

function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
