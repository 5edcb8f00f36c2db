// Indices of the parameters of `winogradProduct`, in the order of ../winograd.ts.

// The pictures that are read. START is the position of the first tap of the first result.
export const INPUT = 0;
export const INPUT_PICTURE = 1;
export const INPUT_ROW = 2;
export const INPUT_PIXEL = 3;
export const INPUT_HEIGHT = 4;
export const INPUT_WIDTH = 5;
export const START_Y = 6;
export const START_X = 7;
export const CHANNELS = 8;
/** Address of zeros, for pixels outside the picture. */
export const ZEROS = 9;

// The pictures that are written.
export const OUTPUT = 10;
export const OUTPUT_PICTURE = 11;
export const OUTPUT_ROW = 12;
export const OUTPUT_PIXEL = 13;
export const OUTPUT_HEIGHT = 14;
export const OUTPUT_WIDTH = 15;
export const RESULTS = 16;

// The transformed filters: 36 matrices of panels, and the bytes from one matrix to the next.
export const FILTERS = 17;
export const FILTER_MATRIX = 18;

// The division of the work into tasks.
export const TILES = 19;
export const BLOCK_TILES = 20;
export const TASK_PANELS = 21;

// Memory of each thread: one tile; 36 matrices with the pixels of a block; 36 matrices with its products.
export const SCRATCH = 22;
export const SCRATCH_BYTES = 23;
export const PIXEL_MATRIX = 24;
export const PRODUCT_MATRIX = 25;

// Value added to each column, and the activation: as for products.
export const BIAS = 26;
export const IS_LEAKY = 27;
export const LOW = 28;
export const HIGH = 29;
export const SLOPE = 30;
