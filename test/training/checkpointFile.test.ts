// Checkpoints as bytes: what goes in comes out, and nothing else is taken for one.
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/core/crc32.ts';
import { randomGenerator } from '../../src/core/random.ts';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type CheckpointContent,
} from '../../src/training/resume/checkpointFile.ts';

const content: CheckpointContent = {
  state: {
    text: 'ä "quoted"',
    numbers: [0.1, -0, NaN, Infinity, -Infinity, 2 ** -1074],
    deep: { none: null, yes: true },
  },
  tensors: new Map([
    ['weights/conv/kernel', { shape: [2, 3], values: Float32Array.of(1, -0, NaN, Infinity, 1e-45, -3.5) }],
    ['steps', { shape: [], values: Int32Array.of(-7) }],
    ['none', { shape: [0, 4], values: new Float32Array(0) }],
    ['last', { shape: [3], values: Float32Array.of(1, 2, 3) }],
  ]),
};

const decode = (bytes: Uint8Array) => decodeCheckpoint('fineTune-000001.safetensors', bytes);

/** The header, as any reader of safetensors sees it. */
function headerOf(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  return { header: JSON.parse(text) as Record<string, unknown>, start: 8 + length };
}

/** The same bytes with another header. */
function withHeader(bytes: Uint8Array, change: (header: Record<string, unknown>) => unknown): Uint8Array {
  const { header, start } = headerOf(bytes);
  const text = new TextEncoder().encode(JSON.stringify(change(header)));
  const changed = new Uint8Array(8 + text.length + bytes.length - start);
  new DataView(changed.buffer).setBigUint64(0, BigInt(text.length), true);
  changed.set(text, 8);
  changed.set(bytes.subarray(start), 8 + text.length);
  return changed;
}

test('crc32 is that of zlib, in one piece and in several', () => {
  const bytes = new TextEncoder().encode('123456789');
  expect(crc32(bytes)).toBe(0xcbf43926);
  expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

describe('a checkpoint', () => {
  test('is restored bit for bit, including numbers that JSON lacks', () => {
    expect(decode(encodeCheckpoint(content))).toEqual(content);
    const empty = { state: {}, tensors: new Map() };
    expect(decode(encodeCheckpoint(empty))).toEqual(empty);
  });

  test('is restored from bytes at an odd address, and from parts of larger arrays', () => {
    const whole = Float32Array.of(9, 1, 2, 9);
    const part = { state: {}, tensors: new Map([['a', { shape: [2], values: whole.subarray(1, 3) }]]) };
    const bytes = encodeCheckpoint(part);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    expect(decode(moved.subarray(1))).toEqual(part);
  });

  test('has the layout of safetensors', () => {
    const bytes = encodeCheckpoint(content);
    const { header, start } = headerOf(bytes);
    expect(start % 8).toBe(0);
    const { __metadata__: metadata, ...entries } = header;
    expect(Object.values(metadata as Record<string, unknown>).every((value) => typeof value === 'string')).toBe(true);
    expect(entries).toEqual({
      'weights/conv/kernel': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      steps: { dtype: 'I32', shape: [], data_offsets: [24, 28] },
      none: { dtype: 'F32', shape: [0, 4], data_offsets: [28, 28] },
      last: { dtype: 'F32', shape: [3], data_offsets: [28, 40] },
    });
    expect(bytes.length).toBe(start + 40);
    expect(new DataView(bytes.buffer).getInt32(start + 24, true)).toBe(-7);
  });

  test('refuses values that do not fit their shape', () => {
    const wrong = { state: {}, tensors: new Map([['a', { shape: [3], values: Float32Array.of(1, 2) }]]) };
    expect(() => encodeCheckpoint(wrong)).toThrow('a has 2 values');
  });
});

describe('damage', () => {
  const bytes = encodeCheckpoint(content);
  const damaged: unknown = expect.objectContaining({ code: 'WEIGHTS_DAMAGED' });
  const errorOf = (changed: Uint8Array): unknown => {
    try {
      decode(changed);
      return undefined;
    } catch (error) {
      return error;
    }
  };

  test('raises an error with the name of the file and the reason', () => {
    expect(() => decode(bytes.subarray(0, 5))).toThrow(
      'expected a whole checkpoint in fineTune-000001.safetensors, got a file of 5 bytes: it is cut short.',
    );
  });

  test('is detected at every length of a truncated file', () => {
    for (let length = 0; length < bytes.length; length++) expect(errorOf(bytes.slice(0, length))).toEqual(damaged);
  });

  test('is detected for every flipped bit, except in spaces and number formats', () => {
    const random = randomGenerator(1);
    const { start } = headerOf(bytes);
    const text = new TextDecoder().decode(bytes.subarray(8, start)).trimEnd();
    for (let place = 0; place < bytes.length; place++) {
      if (place >= 8 + text.length && place < start) continue; // padding
      const changed = bytes.slice();
      changed[place]! ^= 1 << Math.floor(8 * random());
      const error = errorOf(changed);
      if (error === undefined) expect(decode(changed)).toEqual(content);
      else expect(error).toEqual(damaged);
    }
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /of 0 bytes: it is cut short/],
    ['zeros', new Uint8Array(4096), /JSON/],
    ['garbage', new Uint8Array(4096).map((_, i) => i * 37), /its header takes \d+ bytes/],
    ['bytes behind the end', Uint8Array.of(...bytes, 0), /its tensors take 40 bytes and have 41/],
    ['a header that is a list', withHeader(bytes, () => []), /its header is no object/],
    ['no metadata', withHeader(bytes, ({ __metadata__: _, ...rest }) => rest), /transferkit did not write it/],
    [
      'the same metadata beside other tensors',
      withHeader(bytes, ({ last, ...rest }) => ({ ...rest, first: last })),
      /its checksum is another/,
    ],
    ...(
      [
        { dtype: 'F64', shape: [3], data_offsets: [28, 40] },
        { dtype: 'F32', shape: [-3], data_offsets: [28, 40] },
        { dtype: 'F32', shape: [1.5, 2], data_offsets: [28, 40] },
        { dtype: 'F32', shape: 3, data_offsets: [28, 40] },
        { dtype: 'F32', shape: [2], data_offsets: [28, 40] },
        { dtype: 'F32', shape: [3], data_offsets: [28] },
        null,
      ] as const
    ).map((last): [string, Uint8Array, RegExp] => [
      `a tensor described by ${JSON.stringify(last)}`,
      withHeader(bytes, (header) => ({ ...header, last })),
      /last is described by/,
    ]),
    [
      'tensors with a hole between them',
      withHeader(bytes, (header) => ({ ...header, last: { dtype: 'F32', shape: [2], data_offsets: [32, 40] } })),
      /last does not begin where the tensor before it ends/,
    ],
  ])('%s is not a checkpoint', (_, changed, reason) => {
    expect(() => decode(changed)).toThrow(reason);
    expect(errorOf(changed)).toEqual(damaged);
  });
});
