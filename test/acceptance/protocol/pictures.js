// Pictures of the development sets, decoded once and kept as pixels in a file: a protocol reads them hundreds of times.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { defineSamples } from 'transferkit';
import { imageFolder } from 'transferkit/node';

/**
 * Reads folders of pictures, resizes them and keeps their pixels.
 *
 * @param file - Path of the file of pixels; that of the labels has `.json` after it.
 * @param folder - A folder with one folder for each label.
 * @param how - `size` in pixels; `fit`: `'cover'` crops, `'stretch'` changes proportions.
 */
export async function keptPictures(file, folder, { size, fit }) {
  const list = `${file}.json`;
  if (!existsSync(list)) await keep(file, await imageFolder(folder), { size, fit });
  const { labels, targets } = JSON.parse(await readFile(list, 'utf8'));
  return { labels, targets, size, pixels: await readFile(file) };
}

async function keep(file, samples, { size, fit }) {
  await mkdir(join(file, '..'), { recursive: true });
  const each = size * size * 3;
  const pixels = Buffer.alloc(samples.size * each);
  for (let index = 0; index < samples.size; index++) {
    const { input: path } = await samples.read(index);
    const picture = await sharp(path)
      .rotate()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .resize(size, size, { fit: fit === 'cover' ? 'cover' : 'fill', kernel: 'linear' })
      .raw()
      .toBuffer();
    picture.copy(pixels, index * each);
  }
  await writeFile(`${file}.part`, pixels);
  await rename(`${file}.part`, file);
  const targets = Array.from({ length: samples.size }, (_, index) => samples.target(index));
  await writeFile(`${file}.json`, JSON.stringify({ labels: samples.labels, targets }));
}

/** Samples of some of the pictures. */
export function samplesOf({ labels, targets, size, pixels }, indexes) {
  const each = size * size * 3;
  return defineSamples({
    size: indexes.length,
    labels,
    target: (place) => targets[indexes[place]],
    read: (place) => {
      const index = indexes[place];
      const data = new Uint8Array(pixels.subarray(index * each, (index + 1) * each));
      return { input: { width: size, height: size, data }, target: targets[index], id: String(index) };
    },
  });
}
