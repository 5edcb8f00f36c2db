// Convolution gradients by definition: plain loops over plain arrays, to hold kernels against.

/** Shapes and steps of a convolution, square in both directions. */
export interface Convolution {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Output channels; for depthwise ones, output channels of each input channel. */
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Rows before and after, columns before and after. */
  readonly padding: readonly [number, number, number, number];
  readonly depthwise: boolean;
}

/** Height and width of the output. */
export function outputSize(c: Convolution): [number, number] {
  const reach = (c.kernel - 1) * c.dilation + 1;
  const [top, bottom, left, right] = c.padding;
  const size = (length: number, before: number, after: number) =>
    Math.floor((length + before + after - reach) / c.stride) + 1;
  return [size(c.height, top, bottom), size(c.width, left, right)];
}

/** Calls `visit` with the flat indices of input, filter and output of every product in the convolution. */
export function eachProduct(c: Convolution, visit: (input: number, filter: number, output: number) => void): void {
  const [oh, ow] = outputSize(c);
  const outputs = c.depthwise ? c.channels * c.filters : c.filters;
  for (let b = 0; b < c.batch; b++)
    for (let p = 0; p < oh; p++)
      for (let q = 0; q < ow; q++)
        for (let i = 0; i < c.kernel; i++)
          for (let j = 0; j < c.kernel; j++) {
            const row = p * c.stride + i * c.dilation - c.padding[0];
            const column = q * c.stride + j * c.dilation - c.padding[2];
            if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
            for (let channel = 0; channel < c.channels; channel++)
              for (let filter = 0; filter < c.filters; filter++) {
                visit(
                  ((b * c.height + row) * c.width + column) * c.channels + channel,
                  ((i * c.kernel + j) * c.channels + channel) * c.filters + filter,
                  ((b * oh + p) * ow + q) * outputs + (c.depthwise ? channel * c.filters + filter : filter),
                );
              }
          }
}
