// Decoding by sharp of pictures that the test makes: formats, orientation, transparency, depth, and what is unreadable.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Picture } from '../../../src/core/picture.ts';
import { decodePicture } from '../../../src/platform/node/decodePicture.ts';
import { jpegSize, pictureHeader } from '../../../src/core/pictureHeader.ts';
import { platform } from '../../../src/platform/node/platform.ts';

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

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('applies EXIF orientation %d', async (orientation) => {
    const bytes = await flag(600, 400).jpeg().withMetadata({ orientation }).toBuffer();
    const turned = orientation >= 5;
    const full = await decodePicture(bytes);
    expect([full.width, full.height]).toEqual(turned ? [400, 600] : [600, 400]);
    const small = await decodePicture(bytes, { atLeast: [100, 100] });
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

  it('blends transparency with white', async () => {
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

  it('converts 16 bits to 8', async () => {
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
    const picture = await decodePicture(await flag(width, height).jpeg().toBuffer(), { atLeast });
    expect([picture.width, picture.height]).toEqual(expected);
    expectNear(pixel(picture, 10, 10), [120, 0, 0], 12);
  });

  it('never shrinks other formats than JPEG', async () => {
    const picture = await decodePicture(await flag(2000, 1500).png({ compressionLevel: 1 }).toBuffer(), {
      atLeast: [100, 100],
    });
    expect([picture.width, picture.height]).toEqual([2000, 1500]);
  });

  describe('unreadable pictures', () => {
    const truncated = async (format: 'jpeg' | 'png' | 'webp', share = 0.6): Promise<Uint8Array> => {
      const noise = Uint8Array.from({ length: 90 * 90 * 3 }, (_, i) => (i * i * 31) % 256);
      const bytes = await sharp(noise, { raw: { width: 90, height: 90, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      return bytes.subarray(0, Math.floor(bytes.length * share));
    };
    const cases: [string, () => Promise<Uint8Array> | Uint8Array, RegExp][] = [
      ['empty', () => new Uint8Array(0), /but it is empty \(0 bytes\)/],
      [
        'text',
        () => new TextEncoder().encode('<html>404</html>'),
        /but its content is of no format that is known for pictures/,
      ],
      ['garbage', () => Uint8Array.from({ length: 3000 }, (_, i) => (i * 37) % 256), /of no format that is known/],
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
        const error: unknown = await decodePicture(path, { atLeast }).catch((raised: unknown) => raised);
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

describe('limits', () => {
  const limits = { maxPixels: 64 * 48, maxBytes: 100_000, svg: false };
  const refused = async (source: unknown, given = limits): Promise<Error> => {
    const error: unknown = await decodePicture(source, { limits: given }).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'UNREADABLE' });
    return error as Error;
  };

  /** The beginning of a PNG that says how large it is, and nothing else. */
  function pngHead(width: number, height: number): Uint8Array {
    const bytes = new Uint8Array(33);
    bytes.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
    const view = new DataView(bytes.buffer);
    view.setUint32(16, width);
    view.setUint32(20, height);
    bytes.set([8, 2], 24);
    return bytes;
  }

  it.each(['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const)('count the pixels of %s', async (format) => {
    expect((await decodePicture(await flag().toFormat(format).toBuffer(), { limits })).width).toBe(64);
    const { message } = await refused(await flag(65, 48).toFormat(format).toBuffer());
    expect(message).toContain(
      'expected a picture of at most 3072 pixels in the given bytes, got 65 x 48 (3120 pixels).',
    );
    expect(message).toContain('loadBase(source, { pictures: { maxPixels: 3120 } })');
  });

  it('refuse by default pictures of more than 100 million pixels, before decoding', async () => {
    await expect(decodePicture(pngHead(10_001, 10_000))).rejects.toThrow(/at most 100000000 pixels .* 10001 x 10000/);
    await expect(decodePicture(pngHead(0xffff_ffff, 0xffff_ffff))).rejects.toThrow(/at most 100000000 pixels/);
    await expect(decodePicture(pngHead(10_000, 10_000))).rejects.toThrow(/expected a picture .* but /); // damaged
  });

  it('count the first of several pages and frames', async () => {
    const frames = await sharp(
      await flag(64, 96)
        .toBuffer({ resolveWithObject: true })
        .then(({ data }) => data),
      {
        raw: { width: 64, height: 96, channels: 3, pageHeight: 48 },
      },
    )
      .gif()
      .toBuffer();
    expect((await sharp(frames).metadata()).pages).toBe(2);
    expect((await decodePicture(frames, { limits })).height).toBe(48);
    await refused(frames, { ...limits, maxPixels: 64 * 47 });
  });

  it('count bytes of all sources', async () => {
    const bytes = Uint8Array.from(await flag().png().toBuffer());
    const path = join(folder, 'limit.png');
    await writeFile(path, bytes);
    const server = createServer((_, response) => response.end(bytes)).listen(0);
    const address = `http://localhost:${String((server.address() as AddressInfo).port)}/flag.png`;
    const data = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
    const tight = { ...limits, maxBytes: bytes.length - 1 };
    for (const source of [bytes, bytes.buffer, new Blob([bytes]), path, pathToFileURL(path), address, data]) {
      expect((await decodePicture(source, { limits: { ...limits, maxBytes: bytes.length } })).width).toBe(64);
      const { message } = await refused(source, tight);
      expect(message).toContain(`of at most ${String(tight.maxBytes)} bytes in `);
      expect(message).toContain('loadBase(source, { pictures: { maxBytes: ');
    }
    server.close();
  });

  it.skipIf(process.platform === 'win32')('refuse devices, which may be endless', async () => {
    for (const path of ['/dev/zero', 'file:///dev/zero']) {
      expect((await refused(path)).message).toContain('got a device, pipe or socket');
    }
  });
});

describe('files that are not raster pictures', () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="7"><rect width="9" height="7" fill="red"/></svg>';
  const utf16 = new Uint8Array([0xff, 0xfe, ...Buffer.from(svg, 'utf16le')]);
  const svgs: [string, Uint8Array | string][] = [
    ['plain', new TextEncoder().encode(svg)],
    [
      'behind a declaration, a doctype and a comment',
      new TextEncoder().encode(`<?xml version="1.0"?>\n<!DOCTYPE svg>\n<!-- ${'x'.repeat(500)} -->${svg}`),
    ],
    ['packed', gzipSync(svg)],
    ['UTF-16', utf16],
    ['a data: address', `data:image/png,${encodeURIComponent(svg)}`],
  ];

  it.each(svgs)('SVG is recognised by its content, and refused unless allowed: %s', async (kind, source) => {
    const error: unknown = await decodePicture(source).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'UNREADABLE' });
    expect((error as Error).message).toMatch(
      /but it is SVG, .*convert it to PNG, or accept it: .*pictures: \{ svg: true \}/,
    );
    if (kind === 'UTF-16') return; // librsvg does not read that
    const accepting = { maxPixels: 63, maxBytes: 10_000, svg: true };
    const picture = await decodePicture(source, { limits: accepting });
    expect([picture.width, picture.height, ...picture.data.subarray(0, 3)]).toEqual([9, 7, 255, 0, 0]);
    await expect(decodePicture(source, { limits: { ...accepting, maxPixels: 62 } })).rejects.toThrow(
      /at most 62 pixels/,
    );
  });

  it('never passes a drawing of unlimited cost to sharp', async () => {
    const groups = Array.from(
      { length: 40 },
      (_, i) => `<g id="g${String(i + 1)}"><use href="#g${String(i)}"/><use href="#g${String(i)}"/></g>`,
    );
    const source = `<svg xmlns="http://www.w3.org/2000/svg"><g id="g0"/>${groups.join('')}</svg>`;
    await expect(decodePicture(new TextEncoder().encode(source))).rejects.toThrow(/it is SVG/);
  });

  const tiff = (tag: number, value: number) => {
    const bytes = new Uint8Array(26);
    bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0]);
    new DataView(bytes.buffer).setUint16(10, tag, true);
    new DataView(bytes.buffer).setUint32(18, value, true);
    return bytes;
  };
  const ascii = (text: string) => Uint8Array.from(text.padEnd(64, '\0'), (character) => character.charCodeAt(0));
  it.each<[string, Uint8Array, RegExp]>([
    ['HEIC', ascii('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), /it is HEIC: convert it to JPEG/],
    ['HEIC behind a general brand', ascii('\0\0\0\x18ftypmif1\0\0\0\0mif1heic'), /it is HEIC: convert it to JPEG/],
    ['BMP', ascii('BM\x42\0\0\0\0\0\0\0\x36'), /it is BMP: convert it to PNG/],
    ['ICO', ascii('\0\0\x01\0\x01'), /it is ICO: convert it to PNG/],
    ['PDF', ascii('%PDF-1.7'), /it is PDF: save its pictures as PNG or JPEG/],
    ['JPEG XL', ascii('\xff\x0a'), /it is JPEG XL: convert it to JPEG/],
    ['JPEG 2000', ascii('\0\0\0\x0cjP  \r\n\x87\n'), /it is JPEG 2000/],
    ['PSD', ascii('8BPS'), /it is PSD/],
    ['PPM', ascii('P6\n2 2\n255\n'), /it is PPM/],
    ['CR2', ascii('II*\0\x10\0\0\0CR\x02'), /it is the raw file of a camera: convert it to JPEG/],
    ['CR3', ascii('\0\0\0\x18ftypcrx '), /the raw file of a camera/],
    ['DNG', tiff(50706, 1), /the raw file of a camera/],
    ['NEF, which begins with a preview', tiff(254, 1), /the raw file of a camera/],
  ])('%s is named, with advice', async (_, bytes, text) => {
    await expect(decodePicture(bytes)).rejects.toMatchObject({ code: 'UNREADABLE' });
    await expect(decodePicture(bytes)).rejects.toThrow(text);
  });

  it('the content counts, not the file extension', async () => {
    const path = join(folder, 'really-a-jpeg.svg');
    await writeFile(path, await flag().jpeg().toBuffer());
    expect((await decodePicture(path)).width).toBe(64);
  });
});

describe('text instead of a path', () => {
  it('explains base64, and accepts it as a data: address', async () => {
    const base64 = (await flag().png().toBuffer()).toString('base64');
    expect((await decodePicture(`data:image/png;base64,${base64}`)).width).toBe(64);
    for (const text of [base64, base64.repeat(1000), 'QUJD'.repeat(1000)]) {
      const error: unknown = await decodePicture(text).catch((raised: unknown) => raised);
      expect(error).toMatchObject({ code: 'NOT_FOUND' });
      expect((error as Error).message).toMatch(
        /got what looks like base64 text.*Put 'data:image\/.*;base64,' in front of it/,
      );
      expect((error as Error).message.length).toBeLessThan(400);
    }
    await expect(decodePicture(`/photos/${'a'.repeat(50)}`)).rejects.not.toThrow(/base64/);
  });

  it('explains that the shell expands ~', async () => {
    await expect(decodePicture('~/no-such-picture.jpg')).rejects.toThrow(
      /A shell replaces ~ by the home folder, Node does not: give the whole path, '.*no-such-picture\.jpg', which is not there either\./,
    );
  });
});

describe('pictureHeader', () => {
  it('reads the size in all formats that browsers decode', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'avif'] as const) {
      const bytes = await flag(65, 48).toFormat(format).toBuffer();
      expect(pictureHeader(bytes)).toEqual({ width: 65, height: 48, gray: false });
    }
    for (const options of [{ lossless: true }, { alphaQuality: 50 }]) {
      const bytes = await flag(65, 48).ensureAlpha(0.5).webp(options).toBuffer();
      expect(pictureHeader(bytes)).toMatchObject({ width: 65, height: 48 });
    }
    const bmp = Uint8Array.of(
      0x42,
      0x4d,
      ...Array.from({ length: 12 }, () => 0),
      40,
      0,
      0,
      0,
      65,
      0,
      0,
      0,
      0xd0,
      0xff,
      0xff,
      0xff,
    );
    expect(pictureHeader(bmp)).toEqual({ width: 65, height: 48, gray: false });
    for (const format of ['jpeg', 'png'] as const) {
      expect(pictureHeader(await flag().toColourspace('b-w').toFormat(format).toBuffer())).toMatchObject({
        gray: true,
      });
    }
    expect(pictureHeader(await flag().tiff().toBuffer())).toBeUndefined();
  });

  it('gives nothing for truncated files', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'avif'] as const) {
      const bytes = await flag().toFormat(format).toBuffer();
      for (let length = 0; length < Math.min(bytes.length, 300); length++) {
        const header = pictureHeader(bytes.subarray(0, length));
        if (header !== undefined) expect(header).toMatchObject({ width: 64, height: 48 });
      }
    }
  });
});

describe('jpegSize', () => {
  const noise = sharp(
    Uint8Array.from({ length: 90 * 60 * 3 }, (_, i) => (i * i * 31) % 256),
    { raw: { width: 90, height: 60, channels: 3 } },
  );

  it('gives height and width of every kind of JPEG', async () => {
    for (const options of [{}, { progressive: true }, { chromaSubsampling: '4:4:4' }, { optimiseCoding: false }]) {
      const plain = await noise.clone().jpeg(options).toBuffer();
      expect(jpegSize(plain)).toEqual([60, 90]);
      const tagged = await sharp(plain).withMetadata({ orientation: 6 }).withIccProfile('p3').toBuffer();
      expect(jpegSize(tagged)).toEqual([60, 90]);
    }
    expect(jpegSize(await noise.clone().grayscale().jpeg().toBuffer())).toEqual([60, 90]);
  });

  it('supports bytes inside a larger buffer, and padding before a marker', async () => {
    const plain = await noise.clone().jpeg().toBuffer();
    const filled = Uint8Array.from([0, 0, 0xff, 0xd8, 0xff, 0xff, 0xff, ...plain.subarray(3)]);
    expect(jpegSize(filled.subarray(2))).toEqual([60, 90]);
    expect((await decodePicture(filled.subarray(2), { atLeast: [10, 10] })).width).toBe(15);
  });

  it('gives nothing for other files', async () => {
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
    const fresh = await import('../../../src/platform/node/decodePicture.ts');
    const error: unknown = await fresh.decodePicture(Uint8Array.of(1)).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'PACKAGE_MISSING', details: { packageName: 'sharp' } });
    expect((error as Error).message).toMatch(
      /expected the package sharp, which decodes pictures in Node.*Install it: npm install sharp\./,
    );
  });
});

describe('platform.readBytes', () => {
  it('names the status of a server, and stops on a signal', async () => {
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

  it('uses a custom fetch', async () => {
    const fetch = async (): Promise<Response> => Promise.resolve(new Response(Uint8Array.of(1, 2)));
    expect(await platform.readBytes('https://example.invalid/x', { fetch })).toEqual(Uint8Array.of(1, 2));
  });
});
