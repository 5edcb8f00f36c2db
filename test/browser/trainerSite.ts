// The trainer page for its test: built as people build it, and pictures to teach it.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { build, loadConfigFromFile, mergeConfig, preview } from 'vite';
import { randomGenerator } from '../../src/core/random.ts';

const configFile = fileURLToPath(new URL('../../examples/trainer/vite.config.ts', import.meta.url));

/** A page that is served. */
export interface ServedPage {
  readonly address: string;
  close(): void;
}

/**
 * Builds the page with the package of a folder, and serves it with its own headers.
 *
 * @param packed - Folder with the built package, whose `dist` is used.
 * @param outDir - Where the page goes.
 */
export async function serveTrainer(packed: string, outDir: string): Promise<ServedPage> {
  const loaded = await loadConfigFromFile({ command: 'build', mode: 'production' }, configFile);
  if (loaded === null) throw new Error('the configuration of the page is missing');
  const alias = [
    { find: /^transferkit$/, replacement: join(packed, 'dist/index.js') },
    { find: /^transferkit\/(\w+)$/, replacement: join(packed, 'dist/$1.js') },
  ];
  const { resolve: _, ...config } = loaded.config;
  const ours = mergeConfig(config, { configFile: false, logLevel: 'silent', resolve: { alias }, build: { outDir } });
  await build(ours);
  const server = await preview(mergeConfig(ours, { preview: { host: '127.0.0.1', port: 0 } }));
  const [address = ''] = server.resolvedUrls?.local ?? [];
  return {
    address,
    close: () => {
      server.httpServer.close();
    },
  };
}

/** Bytes of the page's own scripts, compressed: without the package and tfjs. */
export async function ownScriptBytes(outDir: string): Promise<number> {
  const files = (await readdir(join(outDir, 'assets'))).filter((name) => /^page-.*\.js$/.test(name));
  const own = await Promise.all([
    ...files.map((name) => readFile(join(outDir, 'assets', name))),
    readFile(join(outDir, 'serviceWorker.js')),
  ]);
  if (files.length === 0) throw new Error('the page has no script of its own');
  return own.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0);
}

type Shape = (random: () => number) => string;

const shapes: Readonly<Record<string, Shape>> = {
  disc: (random) => `<circle cx="${50 + 8 * random()}" cy="${50 - 8 * random()}" r="${22 + 10 * random()}"/>`,
  stripes: (random) =>
    [12, 38, 64].map((y) => `<rect x="0" y="${y + 6 * random()}" width="100" height="${9 + 4 * random()}"/>`).join(''),
  triangle: (random) => `<path d="M${46 + 8 * random()} ${14 + 8 * random()} L88 84 L12 ${80 + 6 * random()} Z"/>`,
};

/** Labels of the pictures, in alphabetical order. */
export const shapeLabels: readonly string[] = Object.keys(shapes);

/**
 * Writes pictures of shapes in changing colours, a folder for each label.
 *
 * @returns The path of one more picture of each label, beside the folder.
 */
export async function drawShapes(folder: string, each: number): Promise<Readonly<Record<string, string>>> {
  const random = randomGenerator(7);
  const others: Record<string, string> = {};
  for (const [label, shape] of Object.entries(shapes)) {
    await mkdir(join(folder, label), { recursive: true });
    for (let number = 0; number <= each; number++) {
      const path = number < each ? join(folder, label, `${number}.png`) : `${folder}-${label}.png`;
      const [hue, light] = [Math.round(360 * random()), Math.round(75 + 20 * random())];
      const ground = `<rect width="100" height="100" fill="hsl(${hue} 40% ${light}%)"/>`;
      const drawing = `<g fill="hsl(${(hue + 150) % 360} 60% 35%)">${shape(random)}</g>`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="200" height="200">${ground}${drawing}</svg>`;
      await writeFile(path, await sharp(Buffer.from(svg)).png().toBuffer());
      others[label] = path;
    }
  }
  return others;
}

/** Writes an empty file, a text with the name of a picture, and a picture of 20 megapixels. */
export async function writeOddFiles(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const [empty, diary, large] = ['empty.jpg', 'diary.jpg', 'large.jpg'].map((name) => join(folder, name));
  if (empty === undefined || diary === undefined || large === undefined) return [];
  await writeFile(empty, '');
  await writeFile(diary, 'Dear diary, today I saw a cat.');
  const create = { width: 5472, height: 3648, channels: 3, background: '#d08030' } as const;
  await writeFile(large, await sharp({ create }).jpeg().toBuffer());
  return [empty, diary, large];
}
