// Sliding windows of nodes as attributes of ONNX.
import type { NodeSpec } from '../../core/graphs.ts';
import type { Shape } from '../../core/types.ts';
import { numbersOf, wordOf } from './nodeSite.ts';
import { Refusal } from './onnxDraft.ts';
import type { OnnxAttributes } from './onnxModel.ts';

/** A window over pictures. */
interface Window {
  readonly attributes: OnnxAttributes;
  /** Height and width of the output; `null` where those of the input are free. */
  readonly size: readonly [number | null, number | null];
}

type Pair = readonly [number, number];

/**
 * Reads the window of a convolution or pooling.
 *
 * @param shape - Of the input, [b, h, w, c].
 * @param kernel - Height and width of the window.
 */
export function windowOf(node: NodeSpec, shape: Shape, kernel: Pair): Window {
  if (wordOf(node, 'data_format') === 'NCHW') throw new Refusal('its pictures have the channels first (NCHW)');
  const strides = pixels(numbersOf(node, 'strides'));
  const dilations = pixels(numbersOf(node, 'dilations'));
  const spans: Pair = [(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1];
  const sizes = [shape[1] ?? null, shape[2] ?? null] as const;
  const padding = wordOf(node, 'padding');
  const [rows, columns] = ([0, 1] as const).map((axis) =>
    paddingOf(padding, explicitPads(node, axis), sizes[axis], spans[axis], strides[axis]),
  );
  const ends = [rows, columns].map((pads): Pair => pads ?? [0, 0]);
  const isFree = padding === 'SAME' && (rows === undefined || columns === undefined);
  const output = (axis: 0 | 1) => outputSize(sizes[axis], ends[axis] ?? [0, 0], spans[axis], strides[axis]);
  return {
    attributes: {
      kernel_shape: { ints: kernel },
      strides: { ints: strides },
      ...(dilations.some((each) => each > 1) && { dilations: { ints: dilations } }),
      ...(isFree
        ? { auto_pad: { text: 'SAME_UPPER' } }
        : { pads: { ints: [ends[0]?.[0] ?? 0, ends[1]?.[0] ?? 0, ends[0]?.[1] ?? 0, ends[1]?.[1] ?? 0] } }),
    },
    size: [output(0), output(1)],
  };
}

/** Height and width of a setting for all axes. */
function pixels([, rows = 1, columns = 1]: readonly number[]): Pair {
  return [rows, columns];
}

function explicitPads(node: NodeSpec, axis: 0 | 1): Pair {
  const pads = numbersOf(node, 'explicit_paddings');
  return [pads[2 + axis * 2] ?? 0, pads[3 + axis * 2] ?? 0];
}

/** Padding before and after one axis. Undefined for 'SAME' on an axis of free size. */
function paddingOf(kind: string, explicit: Pair, size: number | null, span: number, stride: number): Pair | undefined {
  if (kind === 'VALID') return [0, 0];
  if (kind === 'EXPLICIT') return explicit;
  if (kind !== 'SAME') throw new Refusal(`its padding is '${kind}'`);
  if (size === null) return undefined;
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function outputSize(size: number | null, [before, after]: Pair, span: number, stride: number): number | null {
  return size === null ? null : Math.floor((size + before + after - span) / stride) + 1;
}
