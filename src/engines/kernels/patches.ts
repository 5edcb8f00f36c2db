// Patches of pictures as the rows of a matrix, for convolutions and their gradients.
import type { KernelModule } from './kernelModule.ts';
import { floatsOf } from './wasmHeap.ts';

/**
 * One axis of the pictures: output position `p` reads, with tap `t`, the input position `start + p * stride + t *
 * step`.
 */
export interface PatchAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly start: number;
  readonly stride: number;
  readonly step: number;
  /** Number of adjacent input positions of one tap. */
  readonly span: number;
}

/** Place of values in memory, in bytes. */
export interface Placement {
  readonly address: number;
  readonly picture: number;
  readonly row: number;
  readonly pixel: number;
}

/** Patches, one for each output position. */
export interface Patches {
  readonly pictures: number;
  readonly rows: PatchAxis;
  readonly columns: PatchAxis;
  /** Number of values of a pixel. */
  readonly channels: number;
  /** Bytes from one value of a pixel to the next: 4, except for a matrix that is read transposed. */
  readonly channelStep?: number;
  readonly input: Placement;
}

/** Sizes of patches. */
export interface PatchSizes {
  /** Number of patches. */
  readonly count: number;
  readonly taps: number;
  /** Number of values of a tap. */
  readonly depth: number;
  /** Number of values of a patch. */
  readonly length: number;
}

/** Computes the number of patches and of their values. */
export function patchSizes({ pictures, rows, columns, channels }: Patches): PatchSizes {
  const taps = rows.taps * columns.taps;
  const depth = columns.span * channels;
  return { count: pictures * rows.output * columns.output, taps, depth, length: taps * depth };
}

/** Memory for the addresses in a block of patches, and for copies of patches that cross an edge. */
export interface PatchScratch {
  readonly tableBytes: number;
  readonly bytes: number;
}

/**
 * Computes the memory that one thread needs for a block of patches.
 *
 * @param isGathered - Whether the thread puts the patches together itself.
 */
export function patchScratch(patches: Patches, blockRows: number, isGathered = false): PatchScratch {
  const { taps, length } = patchSizes(patches);
  // For each patch the addresses of its result and its taps; the last tile may be padded to 6.
  const tableBytes = (blockRows + 6) * (1 + taps) * 4;
  return { tableBytes, bytes: tableBytes + (patches.columns.span > 1 || isGathered ? blockRows * length * 4 : 0) };
}

/** The first parameters of the kernels that read patches, as in assembly/gemmParameters.ts. */
export function patchWords(patches: Patches, zeros: number): number[] {
  const { rows, columns, input } = patches;
  // prettier-ignore
  return [
    input.address, input.picture, input.row, input.pixel, rows.input, columns.input, rows.output, columns.output,
    rows.stride, columns.stride, rows.start, columns.start, rows.taps, columns.taps, rows.step, columns.step,
    columns.span, patchSizes(patches).depth, patches.channelStep ?? 4, zeros,
  ];
}

/** Sets memory to zero. */
export function clear({ backend }: KernelModule, address: number, bytes: number): void {
  floatsOf(backend).fill(0, address / 4, (address + bytes) / 4);
}

/** An axis whose pixels are read one by one. */
export function oneByOne(size: number): PatchAxis {
  return { input: size, output: size, taps: 1, start: 0, stride: 1, step: 1, span: 1 };
}

/** The place of whole pictures. */
export function picturesAt(address: number, height: number, width: number, channels: number): Placement {
  const pixel = channels * 4;
  return { address, picture: height * width * pixel, row: width * pixel, pixel };
}

/**
 * Joins adjacent taps into one long tap, where their values are consecutive in memory: few channels make short loops.
 *
 * @param axis - An axis of columns.
 */
export function joinTaps(axis: PatchAxis, channels: number): PatchAxis {
  if (axis.step !== 1 || axis.taps < 2 || channels > mostJoined) return axis;
  return { ...axis, taps: 1, span: axis.taps };
}

/** Above this number the loop over the channels of one pixel is long enough. */
const mostJoined = 64;
