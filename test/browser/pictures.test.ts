// Pictures in a real page: everything that it can draw, with and without createImageBitmap.
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { Kind, PicturesInPage, Seen } from './picturesPage.ts';

let opened: OpenPage;

beforeAll(async () => {
  opened = await openPage(fileURLToPath(new URL('picturesPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.pictures !== undefined');
});

afterAll(() => opened.close());

function ask<Verb extends keyof PicturesInPage>(
  verb: Verb,
  ...given: Parameters<PicturesInPage[Verb]>
): Promise<Awaited<ReturnType<PicturesInPage[Verb]>>> {
  return opened.page.evaluate(`window.pictures.${verb}(...${JSON.stringify(given)})`);
}

const red = [255, 0, 0];
const blue = [0, 0, 255];
/** JPEG rounds. */
const nearly = (colour: readonly number[]): unknown => colour.map((value): unknown => expect.closeTo(value, -1));

test('everything that a page can draw is decoded to its pixels', async () => {
  for (const kind of ['canvas', 'ImageBitmap', 'VideoFrame', 'img of SVG', 'SVGImageElement', 'PNG file'] as const) {
    expect({ kind, ...(await ask('decode', kind)) }).toEqual({ kind, size: [8, 4], first: red, last: blue });
  }
  const { size, first, last }: Seen = await ask('decode', 'img of SVG with a viewBox only');
  expect(size[0]).toBeGreaterThan(size[1]);
  expect([first, last]).toEqual([red, blue]);
});

test('the canvas that is used again shows nothing of the picture before', async () => {
  await ask('decode', 'canvas');
  const white = [255, 255, 255];
  expect(await ask('decode', 'transparent PNG file')).toEqual({ size: [4, 4], first: white, last: white });
});

test('a picture of another origin is an error, and does not spoil the pictures after it', async () => {
  const body = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#00ff00' } })
    .png()
    .toBuffer();
  await opened.page.route('http://other.test/**', (route) => route.fulfill({ body, contentType: 'image/png' }));
  await expect(ask('decode', 'img of another origin')).rejects.toThrow(/UNREADABLE .*tainted/i);
  expect(await ask('decode', 'canvas')).toEqual({ size: [8, 4], first: red, last: blue });
});

test('predict takes frames and SVG elements as it takes a canvas', async () => {
  const [canvas, ...others] = await ask('predict', ['canvas', 'VideoFrame', 'img of SVG', 'SVGImageElement']);
  expect(others).toEqual([canvas, canvas, canvas]);
});

test.each<[Kind, RegExp]>([
  ['closed ImageBitmap', /UNREADABLE .*expected a picture in the ImageBitmap, but it has been closed\. Keep it open/],
  ['closed VideoFrame', /UNREADABLE .*expected a picture in the VideoFrame, but it has been closed\. Keep it open/],
  ['video without frame', /UNREADABLE .*expected a picture in the video element, but it shows no frame yet/],
  ['SVGImageElement without picture', /UNREADABLE .*expected a picture in the SVG image element data:,nothing, but/],
])('%s: an error that says so', async (kind, text) => {
  await expect(ask('decode', kind)).rejects.toThrow(text);
});

test.each<[Kind, RegExp]>([
  ['empty file', /UNREADABLE .*expected a picture in empty\.jpg, but it is empty \(0 bytes\)\. Replace or remove it/],
  [
    'text file',
    /UNREADABLE .*expected a picture in diary\.jpg, but its content is of no format that is known\b.*\. Replace or remove it/,
  ],
])('%s: an error that says so', async (kind, text) => {
  await expect(ask('decode', kind)).rejects.toThrow(text);
});

test('a file of 20 megapixels is decoded, or refused before that by a lower limit', async () => {
  expect(await ask('decode', 'file of 20 megapixels')).toEqual({
    size: [5472, 3648],
    first: nearly(red),
    last: nearly(blue),
  });
  await expect(ask('decode', 'file of 20 megapixels', 1e7)).rejects.toThrow(
    /UNREADABLE .*at most 10000000 pixels in drawing, got 5472 x 3648 \(19961856 pixels\)\. Make it smaller, or accept it/,
  );
});

test('samples refuse a video element', async () => {
  await expect(ask('samplesOfVideo')).rejects.toThrow(/INVALID_OPTION .*fromArrays: .*createImageBitmap\(video\)/);
});

test('without createImageBitmap, files are decoded by an image element, upright too', async () => {
  const turned = await ask('decode', 'JPEG file, turned');
  expect(turned).toEqual({ size: [4, 8], first: nearly(red), last: nearly(blue) });
  const [before] = await ask('predict', ['PNG file']);
  await ask('dropImageBitmaps');
  expect(await ask('decode', 'JPEG file, turned')).toEqual(turned);
  expect(await ask('predict', ['PNG file'])).toEqual([before]);
  await expect(ask('decode', 'damaged file')).rejects.toThrow(/UNREADABLE .*expected a picture in damaged\.jpg, but/);
  expect(opened.problems).toEqual([]);
});
