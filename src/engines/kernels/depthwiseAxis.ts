// What the outputs of a depthwise convolution read along one axis, and what the gradients of its inputs read.

/** One axis. Outputs `p`, `p + phases.length`, … belong to one phase and read with the same taps. */
export interface DepthwiseAxis {
  readonly input: number;
  readonly output: number;
  /** Inputs from what one output of a phase reads to what the next one reads. */
  readonly stride: number;
  /** Inputs from what one tap reads to what the next one reads. */
  readonly dilation: number;
  /** Taps of the filter from one tap of a phase to the next. */
  readonly tapStep: number;
  readonly phases: readonly DepthwisePhase[];
}

/** The taps of a phase. */
interface DepthwisePhase {
  readonly taps: number;
  /** The input that the first tap reads for the first output of the phase. */
  readonly start: number;
  /** The first tap's place in the filter. */
  readonly firstTap: number;
}

/** A convolution along one axis: output `p` reads, through tap `t`, input `p * stride + t * dilation - padBefore`. */
export interface ForwardAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBefore: number;
}

/** What the outputs read. */
export function forwardAxis({ taps, padBefore, ...axis }: ForwardAxis): DepthwiseAxis {
  return { ...axis, tapStep: 1, phases: [{ taps, start: -padBefore, firstTap: 0 }] };
}

/**
 * What the gradients of the inputs read of the gradients of the outputs. Taps go from the last to the first, so that
 * what they read ascends; an input meets only those that the stride brings to it.
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
