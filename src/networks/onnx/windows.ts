// Sliding windows of nodes as attributes of ONNX.
import type { NodeSpec } from '../../core/graphs.ts';
import type { Shape } from '../../core/types.ts';
import { textIn, numbersIn } from '../graphs/nodeGraph.ts';
import { channelsFirst } from './nodeSite.ts';
import { Refusal } from './onnxDraft.ts';
import type { OnnxAttributes } from './onnxModel.ts';

/** A window over pictures. */
interface Window {
  readonly attributes: OnnxAttributes;
  /** Height and width of the output; `null` where those of the input are free. */
  readonly size: readonly [number | null, number | null];
  /** Whether each pixel is a window of its own. */
  readonly isPointwise: boolean;
}

type Pair = readonly [number, number];

/**
 * Reads the window of a convolution or pooling.
 *
 * @param shape - Of the input, [b, h, w, c].
 * @param kernel - Height and width of the window.
 */
export function windowOf(node: NodeSpec, shape: Shape, kernel: Pair): Window {
  if (textIn(node, 'data_format') === 'NCHW') throw new Refusal(channelsFirst);
  const strides = pixels(numbersIn(node, 'strides'));
  const dilations = pixels(numbersIn(node, 'dilations'));
  const spans: Pair = [(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1];
  const sizes = [shape[1] ?? null, shape[2] ?? null] as const;
  const padding = textIn(node, 'padding');
  const ends = both((axis) => paddingOf(padding, explicitPads(node, axis), sizes[axis], spans[axis], strides[axis]));
  const known = both((axis) => ends[axis] ?? ([0, 0] as const));
  const [[top, bottom], [left, right]] = known;
  const isFree = ends.includes(undefined);
  if (isFree && !both((axis) => dilations[axis] === 1 && strides[axis] <= spans[axis]).every(Boolean)) {
    throw new Refusal('its padding depends on the size of the pictures, which is free');
  }
  return {
    attributes: {
      kernel_shape: { ints: kernel },
      strides: { ints: strides },
      ...(dilations.some((each) => each > 1) && { dilations: { ints: dilations } }),
      ...(isFree ? { auto_pad: { text: 'SAME_UPPER' } } : { pads: { ints: [top, left, bottom, right] } }),
    },
    size: both((axis) => outputSize(sizes[axis], known[axis], spans[axis], strides[axis])),
    isPointwise: [...spans, ...strides].every((each) => each === 1) && known.flat().every((pad) => pad === 0),
  };
}

/** A value for the rows and one for the columns. */
function both<Value>(of: (axis: 0 | 1) => Value): readonly [Value, Value] {
  return [of(0), of(1)];
}

/** Height and width of a setting for all axes. */
function pixels([, rows = 1, columns = 1]: readonly number[]): Pair {
  return [rows, columns];
}

function explicitPads(node: NodeSpec, axis: 0 | 1): Pair {
  const pads = numbersIn(node, 'explicit_paddings');
  return [pads[2 + axis * 2] ?? 0, pads[3 + axis * 2] ?? 0];
}

/** Padding before and after one axis. Undefined where it depends on a free size. */
function paddingOf(kind: string, explicit: Pair, size: number | null, span: number, stride: number): Pair | undefined {
  if (kind === 'VALID') return [0, 0];
  if (kind === 'EXPLICIT') return explicit;
  if (kind !== 'SAME') throw new Refusal(`its padding is '${kind}'`);
  if (size === null && stride > 1 && span > 1) return undefined;
  // With a stride of 1, and for windows of one pixel, it is the same for every size.
  const total = size === null ? span - 1 : Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function outputSize(size: number | null, [before, after]: Pair, span: number, stride: number): number | null {
  return size === null ? null : Math.floor((size + before + after - span) / stride) + 1;
}
