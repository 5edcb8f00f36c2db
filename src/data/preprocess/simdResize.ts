// Resizing with this package's SIMD module, engines/kernels/assembly/resize.ts. A picture passes through its memory in
// strips, so the memory stays small for pictures of any size.
import { bytesOfBase64 } from '../../core/base64.ts';
import { internalError } from '../../core/errors.ts';
import { channelsOf, type Picture } from '../../core/picture.ts';
import { resizePlainly, type Resize, type ResizePlan } from './resize.ts';
import type { Taps } from './taps.ts';

/** The exports of the module, and its memory. */
interface ResizeModule {
  readonly memory: WebAssembly.Memory;
  readonly resize: (parameters: number) => void;
}

/** Output rows `start` … `end - 1`, computed from the picture's rows `from` … `to - 1`. */
interface Strip {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** Most bytes of input and of output in a strip with more than one row. */
const stripBytes = 2 ** 20;
const pageBytes = 2 ** 16;
const parameterCount = 26;
/** The module reads and writes up to 15 float32 values beyond the ends of rows. */
const overhang = 64;

let loading: Promise<Resize> | undefined;

/** Returns the fastest resizing that runs here. All versions give the same numbers. */
export function loadResize(): Promise<Resize> {
  // Starting the module fails in engines without SIMD and in pages whose policy forbids WebAssembly.
  loading ??= startModule().then(simdResize, () => resizePlainly);
  return loading;
}

async function startModule(): Promise<ResizeModule> {
  const { resizeBinary } = await import('./resizeBinary.ts');
  const bytes = bytesOfBase64(resizeBinary);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const { resize } = instance.exports;
  if (!isResize(resize)) throw internalError('the module for resizing lacks its export');
  return { memory, resize };
}

function isResize(value: unknown): value is ResizeModule['resize'] {
  return typeof value === 'function';
}

function simdResize(module: ResizeModule): Resize {
  return (picture, plan, output) => {
    for (const strip of stripsOf(picture, plan)) resizeStrip(module, picture, plan, strip, output);
  };
}

function* stripsOf(picture: Picture, { rows, columns }: ResizePlan): Generator<Strip> {
  const channels = channelsOf(picture);
  const inputBytes = picture.width * channels * picture.data.BYTES_PER_ELEMENT;
  const most = Math.max(1, Math.floor(stripBytes / (columns.first.length * channels * 4)));
  let strip: Strip | undefined;
  for (let row = 0; row < rows.first.length; row++) {
    const longer = withRow(strip, rows, row);
    const fits = row - longer.start < most && (longer.to - longer.from) * inputBytes <= stripBytes;
    if (strip !== undefined && !fits) yield strip;
    strip = strip === undefined || fits ? longer : withRow(undefined, rows, row);
  }
  if (strip !== undefined) yield strip;
}

/** Adds an output row to a strip; undefined starts a new strip. A row of only black needs no rows of the picture. */
function withRow(strip: Strip | undefined, { first, count }: Taps, row: number): Strip {
  const { start = row, from = 0, to = 0 } = strip ?? {};
  const top = first[row] ?? 0;
  const bottom = top + (count[row] ?? 0);
  if (bottom === top) return { start, end: row + 1, from, to };
  return { start, end: row + 1, from: to === 0 ? top : Math.min(from, top), to: Math.max(to, bottom) };
}

function resizeStrip(
  { memory, resize }: ResizeModule,
  source: Picture,
  { rows, columns, scaling }: ResizePlan,
  { start, end, from, to }: Strip,
  output: Float32Array,
): void {
  const { width, data } = source;
  const channels = channelsOf(source);
  const rowLength = width * channels;
  const outputLength = columns.first.length * channels;
  const blocks = new Blocks();
  const own = { first: rows.first.subarray(start, end), count: rows.count.subarray(start, end) };
  const rowTaps = blocks.placeTaps({
    ...rows,
    ...own,
    weights: rows.weights.subarray(start * rows.width, end * rows.width),
  });
  const columnTaps = blocks.placeTaps(columns);
  const pixels = blocks.place(data.subarray(from * rowLength, to * rowLength));
  const line = blocks.reserve(rowLength * 4);
  const result = blocks.reserve((end - start) * outputLength * 4);
  blocks.writeInto(memory);
  const floats = data instanceof Float32Array ? 1 : 0;
  const picture = [pixels, rowLength, floats, from];
  const parameters = [...picture, result, end - start, columns.first.length, ...rowTaps, ...columnTaps, line];
  new Int32Array(memory.buffer, 0, 18).set([...parameters, scaling.bgr ? 1 : 0, channels]);
  new Float32Array(memory.buffer, 18 * 4, 4).set(scaling.mean);
  new Float32Array(memory.buffer, 22 * 4, 4).set(scaling.divisor);
  resize(0);
  output.set(new Float32Array(memory.buffer, result, (end - start) * outputLength), start * outputLength);
}

/** Assigns places in the memory after the parameters, and fills them once the memory is large enough. */
class Blocks {
  private end = parameterCount * 4 + overhang;
  private readonly contents: { readonly at: number; readonly values: Picture['data'] | Int32Array }[] = [];

  reserve(bytes: number): number {
    const at = Math.ceil(this.end / 16) * 16;
    this.end = at + bytes + overhang;
    return at;
  }

  place(values: Picture['data'] | Int32Array): number {
    const at = this.reserve(values.byteLength);
    this.contents.push({ at, values });
    return at;
  }

  placeTaps({ first, count, weights, width }: Taps): readonly number[] {
    return [this.place(first), this.place(count), this.place(weights), width];
  }

  writeInto(memory: WebAssembly.Memory): void {
    const missing = this.end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    const all = new Uint8Array(memory.buffer);
    for (const { at, values } of this.contents) {
      all.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    }
  }
}
