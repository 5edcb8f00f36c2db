// The positions that the outputs of a depthwise convolution, and the gradients of its inputs, read along one axis.

/** One axis. Outputs `p`, `p + phases.length`, … belong to one phase and use the same taps. */
export interface DepthwiseAxis {
  readonly input: number;
  readonly output: number;
  /** Distance between the inputs of consecutive outputs of a phase. */
  readonly stride: number;
  /** Distance between the inputs of consecutive taps. */
  readonly dilation: number;
  /** Distance between consecutive taps of a phase in the filter. */
  readonly tapStep: number;
  readonly phases: readonly DepthwisePhase[];
}

/** The taps of a phase. */
interface DepthwisePhase {
  readonly taps: number;
  /** The input that the first tap reads for the first output of the phase. */
  readonly start: number;
  /** Index of the first tap in the filter. */
  readonly firstTap: number;
}

/** A convolution along one axis: output `p` reads, with tap `t`, input `p * stride + t * dilation - padBefore`. */
export interface ForwardAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBefore: number;
}

/** The positions that the outputs read. */
export function forwardAxis({ taps, padBefore, ...axis }: ForwardAxis): DepthwiseAxis {
  return { ...axis, tapStep: 1, phases: [{ taps, start: -padBefore, firstTap: 0 }] };
}

/**
 * The positions in the output's gradient that the gradients of the inputs read. Taps are in descending order, so that
 * these positions ascend. The stride determines which taps an input has.
 */
export function backwardAxis(forward: ForwardAxis): DepthwiseAxis {
  const { input, output, stride, dilation } = forward;
  const common = commonDivisor(stride, dilation);
  return {
    ...{ input: output, output: input, stride: 1 },
    ...{ dilation: dilation / common, tapStep: -stride / common },
    phases: Array.from({ length: stride }, (_, rest) => backwardPhase(forward, rest)),
  };
}

function backwardPhase({ taps, stride, dilation, padBefore }: ForwardAxis, rest: number): DepthwisePhase {
  const readBy = (tap: number): number => (rest + padBefore - tap * dilation) / stride;
  const met = Array.from({ length: taps }, (_, tap) => tap).filter((tap) => Number.isInteger(readBy(tap)));
  const firstTap = met.at(-1);
  if (firstTap === undefined) return { taps: 0, start: 0, firstTap: 0 };
  return { taps: met.length, start: readBy(firstTap), firstTap };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
