// Indices of the parameters of Winograd's kernels, in the order of ../winogradWords.ts and of the files that extend it.

// Pictures: those that a convolution reads, and from OUTPUT on those that it writes or, in the gradient with respect to
// the filters, their gradient. The indices of both are in the same order.
export const ADDRESS = 0;
export const PICTURE = 1;
export const ROW = 2;
export const PIXEL = 3;
export const HEIGHT = 4;
export const WIDTH = 5;
/** Position of the first pixel of the first tile. */
export const START_Y = 6;
export const START_X = 7;
export const CHANNELS = 8;
/** Address of zeros, for pixels outside the picture that are read. */
export const ZEROS = 9;

export const OUTPUT = 10;
export const RESULTS = OUTPUT + CHANNELS;

// The division of the work into tasks.
export const TILES = 20;
export const BLOCK_TILES = 21;

// Memory of each thread: one tile; 36 matrices with the pixels of a block; 36 matrices with its products, or with the
// gradient of its results. The last two are the bytes from one matrix to the next.
export const SCRATCH = 22;
export const SCRATCH_BYTES = 23;
export const PIXEL_MATRIX = 24;
export const PRODUCT_MATRIX = 25;

// Only for products: panels in a task; the transformed filters, 36 matrices of panels; values added to each column, and
// the activation, as for other products.
export const TASK_PANELS = 26;
export const FILTERS = 27;
export const FILTER_MATRIX = 28;
export const BIAS = 29;
export const IS_LEAKY = 30;
export const LOW = 31;
export const HIGH = 32;
export const SLOPE = 33;
export const FUNCTION = 34;

// Only for gradients: tiles in a part, each with its own sums; the result, and the bytes from one of its channels to the
// next; channels in a task of the last step.
export const PART_TILES = 26;
export const SUMS = 27;
export const PARTS = 28;
export const RESULT = 29;
export const RESULT_LINE = 30;
export const SUM_CHANNELS = 31;
