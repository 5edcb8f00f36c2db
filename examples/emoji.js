// Pictures for the quickstart: 274 emoji in four classes, drawn by three artists, rasterised from npm packages.
//
// Noto Emoji (Google, Apache-2.0), Twemoji (Twitter and jdecked, https://github.com/jdecked/twemoji, CC-BY-4.0,
// rasterised here without other changes) and Fluent Emoji Flat (Microsoft, MIT).
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import sharp from 'sharp';

const pixels = 96;
const require = createRequire(import.meta.url);

/**
 * Makes the folders `train`, `seen` and `unseen`, each with one folder of PNG files per class, and returns their paths.
 *
 * The network trains on Noto and Twemoji art of two concepts out of three. It is tested on Fluent art, which it never
 * meets in training: on the concepts it was trained with (`seen`) and on every third one, held out (`unseen`).
 *
 * @param {(done: number, total: number) => void} onProgress
 */
export async function emojiFolders(onProgress = () => undefined) {
  const root = fileURLToPath(new URL('../.cache/emoji', import.meta.url));
  const folders = { train: join(root, 'train'), seen: join(root, 'seen'), unseen: join(root, 'unseen') };
  const finished = join(root, 'finished');
  if (existsSync(finished)) return folders;

  const pictures = await emojiDrawings();
  const labels = [...new Set(pictures.map(({ label }) => label))];
  const needed = Object.values(folders).flatMap((folder) => labels.map((label) => join(folder, label)));
  await Promise.all(needed.map((folder) => mkdir(folder, { recursive: true })));
  let done = 0;
  await Promise.all(
    pictures.map(async ({ folder, label, name, svg }) => {
      await sharp(Buffer.from(svg))
        .flatten({ background: 'white' })
        .png()
        .toFile(join(folders[folder], label, name));
      onProgress(++done, pictures.length);
    }),
  );
  await writeFile(finished, '');
  return folders;
}

/**
 * Every drawing: the `folder` it belongs to, its class (`label`), who drew it (`artist`), a `name`, and the drawing as `svg`,
 * 96 pixels in width and height, without a background.
 */
export async function emojiDrawings() {
  const classes = JSON.parse(await readFile(new URL('emoji_classes.json', import.meta.url), 'utf8'));
  const [noto, twemoji, fluent] = await Promise.all(['noto', 'twemoji', 'fluent-emoji-flat'].map(readIcons));
  return Object.entries(classes).flatMap(([label, concepts]) =>
    concepts.flatMap(({ icons }, index) => {
      const heldOut = index % 3 === 2;
      const picture = (folder, set) => ({
        folder,
        label,
        artist: set.name,
        name: `${set.name}-${icons[set.name]}.png`,
        svg: set.draw(icons[set.name]),
      });
      const test = picture(heldOut ? 'unseen' : 'seen', fluent);
      return heldOut ? [test] : [picture('train', noto), picture('train', twemoji), test];
    }),
  );
}

/** One artist's drawings: SVG bodies in the package's `icons.json`. */
async function readIcons(name) {
  const set = JSON.parse(await readFile(require.resolve(`@iconify-json/${name}/icons.json`), 'utf8'));
  const draw = (icon) => {
    const { body, width = set.width, height = set.height, left = 0, top = 0 } = set.icons[icon];
    const viewBox = `${left} ${top} ${width} ${height}`;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels}" height="${pixels}" viewBox="${viewBox}">${body}</svg>`;
  };
  return { name, draw };
}
