// Decoding by sharp of pictures that the test makes: formats, orientation, transparency, depth, and what is unreadable.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Picture } from '../../src/core/picture.ts';
import { decodePicture } from '../../src/node/decodePicture.ts';
import { jpegSize } from '../../src/node/jpegSize.ts';
import { platform } from '../../src/node/platform.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transferkit-decode-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Left half red, right half blue; the top row of blocks is darker. */
function flag(width = 64, height = 48): Sharp {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      data[(row * width + column) * 3 + (column < width / 2 ? 0 : 2)] = row < height / 2 ? 120 : 240;
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

function pixel({ width, data }: Picture, row: number, column: number): number[] {
  return Array.from(data.slice((row * width + column) * 3, (row * width + column) * 3 + 3));
}

function expectNear(values: readonly number[], expected: readonly number[], tolerance: number): void {
  expected.forEach((value, i) => {
    expect(Math.abs((values[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance);
  });
}

describe('decodePicture in Node', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const)('reads %s', async (format) => {
    const picture = await decodePicture(await flag().toFormat(format).toBuffer());
    expect([picture.width, picture.height, picture.data.length]).toEqual([64, 48, 64 * 48 * 3]);
    expectNear(pixel(picture, 12, 12), [120, 0, 0], 12);
    expectNear(pixel(picture, 40, 50), [0, 0, 240], 12);
  });

  it('reads paths, file URLs, addresses, array buffers and blobs', async () => {
    const bytes = Uint8Array.from(await flag().png().toBuffer());
    const path = join(folder, 'flag.png');
    await writeFile(path, bytes);
    const server = createServer((_, response) => response.end(bytes)).listen(0);
    const address = `http://localhost:${String((server.address() as AddressInfo).port)}/flag.png`;
    const expected = await decodePicture(bytes);
    const sources = [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      address,
      new URL(address),
      bytes.buffer,
      new Blob([bytes]),
    ];
    for (const source of sources) expect(await decodePicture(source)).toEqual(expected);
    server.close();
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('turns EXIF orientation %d upright', async (orientation) => {
    const bytes = await flag(600, 400).jpeg().withMetadata({ orientation }).toBuffer();
    const turned = orientation >= 5;
    const full = await decodePicture(bytes);
    expect([full.width, full.height]).toEqual(turned ? [400, 600] : [600, 400]);
    const small = await decodePicture(bytes, [100, 100]);
    expect(Math.min(small.width, small.height)).toBe(100);
    expect(Math.max(small.width, small.height)).toBe(150);
    // Where the dark red corner is that was stored at the top left.
    const corner =
      { 1: [0, 0], 2: [0, 1], 3: [1, 1], 4: [1, 0], 5: [0, 0], 6: [0, 1], 7: [1, 1], 8: [1, 0] }[orientation] ?? [];
    for (const picture of [full, small]) {
      const row = Math.floor(((corner[0] ?? 0) * 0.5 + 0.25) * picture.height);
      const column = Math.floor(((corner[1] ?? 0) * 0.5 + 0.25) * picture.width);
      expectNear(pixel(picture, row, column), [120, 0, 0], 12);
    }
  });

  it('puts transparency on white', async () => {
    const half = { r: 200, g: 0, b: 0, alpha: 0.5 };
    const bytes = await sharp({ create: { width: 4, height: 4, channels: 4, background: half } })
      .png()
      .toBuffer();
    expectNear(pixel(await decodePicture(bytes), 1, 1), [228, 128, 128], 2);
  });

  it('makes three channels of gray, of gray with alpha, of a palette and of CMYK', async () => {
    const gray = await flag().grayscale().png().toBuffer();
    const grayAlpha = await flag().grayscale().ensureAlpha(0.5).png().toBuffer();
    const palette = await flag().png({ palette: true }).toBuffer();
    const cmyk = await flag().toColourspace('cmyk').jpeg().toBuffer();
    for (const bytes of [gray, grayAlpha]) {
      const picture = await decodePicture(bytes);
      expect(picture.data.length).toBe(64 * 48 * 3);
      expect(new Set(pixel(picture, 5, 5)).size).toBe(1);
    }
    expectNear(pixel(await decodePicture(palette), 12, 12), [120, 0, 0], 3);
    const printed = await decodePicture(cmyk);
    expect(printed.data.length).toBe(64 * 48 * 3);
    const [red = 0, , blue = 0] = pixel(printed, 40, 12);
    expect(red).toBeGreaterThan(blue + 80);
  });

  it('brings 16 bits to 8', async () => {
    const bytes = await flag().toColourspace('rgb16').png().toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    expectNear(pixel(await decodePicture(bytes), 40, 50), [0, 0, 240], 1);
    const gray = await flag().toColourspace('grey16').png().toBuffer();
    const picture = await decodePicture(gray);
    expect(picture.data.length).toBe(64 * 48 * 3);
    expect(Math.max(...picture.data)).toBeLessThan(120);
  });

  it.each([
    [2000, 1500, [448, 448], [667, 500]],
    [2000, 1500, [800, 800], [2000, 1500]],
    [900, 900, [448, 448], [450, 450]],
    [895, 900, [448, 448], [895, 900]],
    [4001, 1001, [100, 100], [401, 101]],
  ] as const)('shrinks a JPEG of %d x %d for %j to %j, never below', async (width, height, atLeast, expected) => {
    const picture = await decodePicture(await flag(width, height).jpeg().toBuffer(), atLeast);
    expect([picture.width, picture.height]).toEqual(expected);
    expectNear(pixel(picture, 10, 10), [120, 0, 0], 12);
  });

  it('never shrinks what is no JPEG', async () => {
    const picture = await decodePicture(await flag(2000, 1500).png({ compressionLevel: 1 }).toBuffer(), [100, 100]);
    expect([picture.width, picture.height]).toEqual([2000, 1500]);
  });

  describe('what is unreadable', () => {
    const truncated = async (format: 'jpeg' | 'png' | 'webp', share = 0.6): Promise<Uint8Array> => {
      const noise = Uint8Array.from({ length: 90 * 90 * 3 }, (_, i) => (i * i * 31) % 256);
      const bytes = await sharp(noise, { raw: { width: 90, height: 90, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      return bytes.subarray(0, Math.floor(bytes.length * share));
    };
    const cases: [string, () => Promise<Uint8Array> | Uint8Array, RegExp][] = [
      ['empty', () => new Uint8Array(0), /but it is empty \(0 bytes\)/],
      ['text', () => new TextEncoder().encode('<html>404</html>'), /but it contains unsupported image format/],
      ['garbage', () => Uint8Array.from({ length: 3000 }, (_, i) => (i * 37) % 256), /unsupported image format/],
      ['a truncated JPEG', () => truncated('jpeg'), /premature end of JPEG/],
      ['a JPEG without its last line', () => truncated('jpeg', 0.97), /premature end of JPEG/],
      ['a truncated PNG', () => truncated('png'), /but /],
      ['a truncated WebP', () => truncated('webp'), /but /],
      ['a JPEG of a few bytes', () => Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), /but /],
    ];
    it.each(cases)('%s', async (name, make, text) => {
      const path = join(folder, `${name.replaceAll(' ', '-')}.jpg`);
      await writeFile(path, await make());
      for (const atLeast of [undefined, [10, 10] as const]) {
        const error: unknown = await decodePicture(path, atLeast).catch((raised: unknown) => raised);
        expect(error).toMatchObject({ code: 'UNREADABLE', details: { source: path } });
        expect((error as Error).message).toMatch(text);
        expect((error as Error).message).toContain(`expected a picture (JPEG, PNG, WebP, GIF, AVIF) in ${path}, but`);
        expect((error as Error).message).toContain('Replace or remove it.');
      }
    });

    it('a missing file, a folder, an address without a server, another kind of value', async () => {
      await expect(decodePicture(join(folder, 'none.jpg'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(decodePicture(folder)).rejects.toThrow(/expected a readable file at .*EISDIR/);
      await expect(decodePicture('http://localhost:1/cat.jpg')).rejects.toThrow(
        /expected data at http:\/\/localhost:1\/cat\.jpg, but/,
      );
      await expect(decodePicture({ width: 1, height: 1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      await expect(decodePicture(7)).rejects.toThrow(/got a value of type number/);
    });
  });
});

describe('jpegSize', () => {
  const noise = sharp(
    Uint8Array.from({ length: 90 * 60 * 3 }, (_, i) => (i * i * 31) % 256),
    { raw: { width: 90, height: 60, channels: 3 } },
  );

  it('tells height and width of every kind of JPEG', async () => {
    for (const options of [{}, { progressive: true }, { chromaSubsampling: '4:4:4' }, { optimiseCoding: false }]) {
      const plain = await noise.clone().jpeg(options).toBuffer();
      expect(jpegSize(plain)).toEqual([60, 90]);
      const tagged = await sharp(plain).withMetadata({ orientation: 6 }).withIccProfile('p3').toBuffer();
      expect(jpegSize(tagged)).toEqual([60, 90]);
    }
    expect(jpegSize(await noise.clone().grayscale().jpeg().toBuffer())).toEqual([60, 90]);
  });

  it('heeds bytes that lie in a larger buffer, and filling before a marker', async () => {
    const plain = await noise.clone().jpeg().toBuffer();
    const filled = Uint8Array.from([0, 0, 0xff, 0xd8, 0xff, 0xff, 0xff, ...plain.subarray(3)]);
    expect(jpegSize(filled.subarray(2))).toEqual([60, 90]);
    expect((await decodePicture(filled.subarray(2), [10, 10])).width).toBe(15);
  });

  it('says nothing about anything else', async () => {
    const plain = await noise.clone().jpeg().toBuffer();
    expect(jpegSize(await noise.clone().png().toBuffer())).toBeUndefined();
    expect(jpegSize(await noise.clone().webp().toBuffer())).toBeUndefined();
    const frame = plain.indexOf(Uint8Array.of(0xff, 0xc0));
    for (let length = 0; length < frame + 9; length++) expect(jpegSize(plain.subarray(0, length))).toBeUndefined();
    for (const text of ['', 'x', '<html>404</html>']) expect(jpegSize(new TextEncoder().encode(text))).toBeUndefined();
    expect(jpegSize(Uint8Array.from({ length: 3000 }, (_, i) => (i < 2 ? ([0xff, 0xd8][i] ?? 0) : 0)))).toBeUndefined();
  });
});

describe('without sharp', () => {
  afterEach(() => {
    vi.doUnmock('sharp');
    vi.resetModules();
  });

  it('names the package and the command', async () => {
    vi.resetModules();
    vi.doMock('sharp', () => {
      throw new Error("Cannot find package 'sharp'");
    });
    const fresh = await import('../../src/node/decodePicture.ts');
    const error: unknown = await fresh.decodePicture(Uint8Array.of(1)).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'PACKAGE_MISSING', details: { packageName: 'sharp' } });
    expect((error as Error).message).toMatch(
      /expected the package sharp, which decodes pictures in Node.*Install it: npm install sharp\./,
    );
  });
});

describe('platform.readBytes', () => {
  it('names the status of a server, and stops at a signal', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/slow') return;
      response.statusCode = 404;
      response.end('no');
    }).listen(0);
    const base = `http://localhost:${String((server.address() as AddressInfo).port)}`;
    await expect(platform.readBytes(`${base}/none`)).rejects.toThrow(/the server answered 404 Not Found/);
    const controller = new AbortController();
    const slow = platform.readBytes(`${base}/slow`, { signal: controller.signal });
    controller.abort();
    await expect(slow).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(platform.readBytes('package.json', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    server.closeAllConnections();
    server.close();
  });

  it('uses the given fetch', async () => {
    const fetch = async (): Promise<Response> => Promise.resolve(new Response(Uint8Array.of(1, 2)));
    expect(await platform.readBytes('https://example.invalid/x', { fetch })).toEqual(Uint8Array.of(1, 2));
  });
});
