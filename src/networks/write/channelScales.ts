// Kernels as whole numbers from -127 to 127 with a scale for each output channel. Krishnamoorthi 2018,
// https://arxiv.org/abs/1806.08342, section 2.3: symmetric, per channel.
import { abs, div, max, maximum, round, tidy, type Tensor } from '@tensorflow/tfjs-core';

/** A kernel that equals `whole * scale` to within half a step. The caller owns both. */
export interface ChannelScaled {
  /** Whole numbers, as floats. */
  readonly whole: Tensor;
  /** Broadcasts over the kernel. */
  readonly scale: Tensor;
}

/** The largest whole number: the same on both sides of zero. */
const largest = 127;
/** Far below all weights, and far above the least float32. */
const smallest = 1e-30;

/**
 * Rounds a kernel. A factor for each output channel, as folding BatchNorm puts into it, changes the scales alone.
 *
 * @param outputAxes - Axes of the output channels, from the end: 1, or 2 for a depthwise kernel [h, w, in, multiplier].
 */
export function channelScaled(kernel: Tensor, outputAxes: 1 | 2): ChannelScaled {
  const [whole, scale] = tidy((): [Tensor, Tensor] => {
    const axes = kernel.shape.map((_, axis) => axis).slice(0, -outputAxes);
    const reach = max(abs(kernel), axes, true);
    // A channel of zeros keeps them with any scale.
    const scale = div(maximum(reach, smallest), largest);
    return [round(div(kernel, scale)), scale];
  });
  return { whole, scale };
}
