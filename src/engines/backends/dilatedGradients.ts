// Gradients of dilated convolutions, which tfjs-core refuses. A convolution with dilation n is an ordinary one on each
// of the n × n phases of its picture: the phases become a batch, and tfjs's own kernels do the arithmetic.
import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  engine,
  pad,
  slice,
  transpose,
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import {
  convolutionGeometry,
  quadruple,
  rank4,
  type ConvolutionAttributes,
  type ConvolutionAxis,
} from './convolutionGeometry.ts';

/** The kernels of tfjs that compute the gradients of a convolution without dilation. */
interface GradientKernels {
  readonly ofInput: string;
  readonly ofFilter: string;
}

/** Convolutions by the name of their kernel. */
export const dilatedConvolutions: Readonly<Record<string, GradientKernels>> = {
  [Conv2D]: { ofInput: Conv2DBackpropInput, ofFilter: Conv2DBackpropFilter },
  [DepthwiseConv2dNative]: {
    ofInput: DepthwiseConv2dNativeBackpropInput,
    ofFilter: DepthwiseConv2dNativeBackpropFilter,
  },
};

/** Wraps a gradient: convolutions without dilation still use the given one. */
export function withDilation(before: GradConfig, { ofInput, ofFilter }: GradientKernels): GradConfig {
  return {
    ...before,
    gradFunc: (dy, saved, map) => {
      const attributes = map as unknown as ConvolutionAttributes; // Set by tfjs-core's operations.
      const [x, filter] = saved;
      if (!isDilated(attributes)) return before.gradFunc(dy, saved, map);
      if (x === undefined || filter === undefined || Array.isArray(dy)) {
        throw internalError(`${before.kernelName} saved too little`);
      }
      return {
        x: () => inputGradient(ofInput, x, dy, filter, attributes),
        filter: () => filterGradient(ofFilter, x, dy, filter, attributes),
      };
    },
  };
}

function isDilated({ dilations }: ConvolutionAttributes): boolean {
  // tfjs's layers pass null.
  return [dilations ?? 1].flat().some((rate) => rate !== 1);
}

/** One spatial axis divided into as many phases as its dilation. */
interface PhasedAxis extends ConvolutionAxis {
  /** Length of a phase of the input. */
  readonly length: number;
}

interface Phases {
  readonly rows: PhasedAxis;
  readonly columns: PhasedAxis;
}

/** Attributes for the convolution of phases. */
const plain: NamedAttrMap = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] };

function filterGradient(kernel: string, x: Tensor, dy: Tensor, filter: Tensor, at: ConvolutionAttributes): Tensor {
  const phases = phasesOf(x, dy, filter, at);
  const inputs = { x: inputPhases(last(x, at), phases), dy: outputPhases(last(dy, at), phases) };
  return engine().runKernel(kernel, inputs, { ...plain, filterShape: filter.shape });
}

function inputGradient(kernel: string, x: Tensor, dy: Tensor, filter: Tensor, at: ConvolutionAttributes): Tensor {
  const phases = phasesOf(x, dy, filter, at);
  const { rows, columns } = phases;
  const pictures = last(x, at);
  const [batch, , , channels] = pictures.shape;
  const inputShape = [batch * rows.dilation * columns.dilation, rows.length, columns.length, channels];
  const inputs = { dy: outputPhases(last(dy, at), phases), filter };
  const parts: Tensor = engine().runKernel(kernel, inputs, { ...plain, inputShape });
  const joined = joinPhases(rank4(parts), batch, phases);
  const dx = slice(joined, [0, rows.padBefore, columns.padBefore, 0], pictures.shape);
  return at.dataFormat === 'NCHW' ? transpose(dx, [0, 3, 1, 2]) : dx;
}

function phasesOf(x: Tensor, dy: Tensor, filter: Tensor, at: ConvolutionAttributes): Phases {
  const [, height, width] = last(dy, at).shape;
  const { rows, columns } = convolutionGeometry(quadruple(x.shape), quadruple(filter.shape), [height, width], at);
  return { rows: phased(rows), columns: phased(columns) };
}

function phased(axis: ConvolutionAxis): PhasedAxis {
  const covered = Math.max(axis.output + (axis.kernel - 1) * axis.dilation, axis.padBefore + axis.input);
  return { ...axis, length: Math.ceil(covered / axis.dilation) };
}

/** [b, h, w, c] with the convolution's padding → [phases * b, length, length, c] */
function inputPhases(x: Tensor4D, { rows, columns }: Phases): Tensor4D {
  const around = ({ padBefore, input, length, dilation }: PhasedAxis): [number, number] => {
    return [padBefore, length * dilation - padBefore - input];
  };
  return splitPhases(pad(x, [[0, 0], around(rows), around(columns), [0, 0]]), rows, columns);
}

/**
 * [b, oh, ow, k] → [phases * b, length - kernel + 1, length - kernel + 1, k], with zeros after the end of the output
 */
function outputPhases(dy: Tensor4D, { rows, columns }: Phases): Tensor4D {
  const behind = ({ output, length, kernel, dilation }: PhasedAxis): [number, number] => {
    return [0, (length - kernel + 1) * dilation - output];
  };
  return splitPhases(pad(dy, [[0, 0], behind(rows), behind(columns), [0, 0]]), rows, columns);
}

/** [b, m * rows, n * columns, c] → [columns * rows * b, m, n, c] */
function splitPhases(x: Tensor4D, { dilation: rows }: PhasedAxis, { dilation: columns }: PhasedAxis): Tensor4D {
  const [b, h, w, c] = x.shape;
  const [m, n] = [h / rows, w / columns];
  const tall = transpose(rank4(x, [b, m, rows, w * c]), [2, 0, 1, 3]); // [rows, b, m, w * c]
  const both = transpose(rank4(tall, [rows * b * m, n, columns, c]), [2, 0, 1, 3]); // [columns, rows * b * m, n, c]
  return rank4(both, [columns * rows * b, m, n, c]);
}

/** The inverse: [columns * rows * b, m, n, c] → [b, m * rows, n * columns, c] */
function joinPhases(x: Tensor4D, b: number, { rows, columns }: Phases): Tensor4D {
  const [, m, n, c] = x.shape;
  const wide = transpose(rank4(x, [columns.dilation, rows.dilation * b * m, n, c]), [1, 2, 0, 3]);
  const apart = rank4(wide, [rows.dilation, b, m, n * columns.dilation * c]);
  return rank4(transpose(apart, [1, 2, 0, 3]), [b, m * rows.dilation, n * columns.dilation, c]);
}

function last(x: Tensor, { dataFormat }: ConvolutionAttributes): Tensor4D {
  return dataFormat === 'NCHW' ? transpose(rank4(x), [0, 2, 3, 1]) : rank4(x); // [b, h, w, c]
}
