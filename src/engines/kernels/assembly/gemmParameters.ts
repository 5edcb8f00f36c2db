// Indices of the parameters of `patchProduct` and `filterGradient`, in the order of ../patchProduct.ts.

// Rows of the left side: patches of pictures.
export const INPUT = 0;
export const INPUT_PICTURE = 1;
export const INPUT_ROW = 2;
export const INPUT_PIXEL = 3;
export const INPUT_HEIGHT = 4;
export const INPUT_WIDTH = 5;
export const OUTPUT_HEIGHT = 6;
export const OUTPUT_WIDTH = 7;
export const STRIDE_Y = 8;
export const STRIDE_X = 9;
export const START_Y = 10;
export const START_X = 11;
export const TAPS_Y = 12;
export const TAPS_X = 13;
export const STEP_Y = 14;
export const STEP_X = 15;
/** Number of adjacent pixels that one tap reads. */
export const SPAN = 16;
/** Number of values that one tap reads: SPAN times the channels. */
export const DEPTH = 17;
/** Bytes from one of these values to the next. */
export const DEPTH_STEP = 18;
/** Address of zeros, for taps outside the picture. */
export const ZEROS = 19;

// Addresses and steps of the results.
export const OUTPUT = 20;
export const OUTPUT_PICTURE = 21;
export const OUTPUT_ROW = 22;
export const OUTPUT_PIXEL = 23;

// The packed right side, and groups: independent products, each with its own right side.
export const PANELS = 24;
export const GROUP_INPUT = 25;
export const GROUP_PANELS = 26;
export const GROUP_OUTPUT = 27;

// The division of the work into tasks.
export const ROWS = 28;
export const TASK_ROWS = 29;
export const BLOCK_ROWS = 30;
export const COLUMNS = 31;
export const TASK_PANELS = 32;

// Memory of each thread: a table of addresses, followed by copies of the patches that cross an edge.
export const SCRATCH = 33;
export const SCRATCH_BYTES = 34;
export const TABLE_BYTES = 35;

// Activation: values are clipped to LOW … HIGH. If IS_LEAKY, negative values are first multiplied by SLOPE.
export const IS_LEAKY = 36;
export const LOW = 37;
export const HIGH = 38;
export const SLOPE = 39;

// Only for products: the initial value of the sums of each column, the bytes from one panel to the next, and those from
// one depth of a panel to the next. A matrix that is not packed is read in this form.
export const INITIAL = 40;
export const PANEL_BYTES = 41;
export const LINE_BYTES = 42;
/** The activation after the clip: a number of ../functionConstants.ts, or 0. */
export const FUNCTION = 43;
/** Address of the words of ./gemmGather.ts, or 0. */
export const GATHER = 44;
