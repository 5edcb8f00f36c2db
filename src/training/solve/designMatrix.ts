// Features of all examples on the backend, for the two matrix products of fitting a linear head.
import { dispose, matMul, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';

/** A range of its rows. */
interface Block {
  readonly first: number;
  readonly values: Tensor2D;
}

/**
 * Approximate number of multiplications in one product of a block: it takes about a millisecond, on the cpu backend
 * tens of them.
 */
const workOfBlock = 2 ** 24;
/** Minimum number of rows of a block. */
const fewestRows = 128;

/** Features, a row for each example. */
export class DesignMatrix {
  readonly rows: number;
  private readonly blocks: readonly Block[];

  /**
   * @param values - [rows, width]
   * @param columns - Maximum number of columns of later products; it determines the size of the blocks.
   * @param rest - Called after each block.
   */
  constructor(
    values: Float32Array,
    readonly width: number,
    columns: number,
    private readonly rest: () => Promise<void>,
  ) {
    this.rows = values.length / width;
    const each = Math.max(fewestRows, Math.floor(workOfBlock / (width * columns)));
    this.blocks = Array.from({ length: Math.ceil(this.rows / each) }, (_, place) => {
      const first = place * each;
      const own = values.subarray(first * width, (first + each) * width);
      return { first, values: tensor2d(own, [own.length / width, width]) };
    });
  }

  /** Multiplies by a kernel [width, columns]. Returns logits [rows, columns]. */
  async logits(kernel: Float32Array, columns: number): Promise<Float32Array> {
    const logits = new Float32Array(this.rows * columns);
    await this.visit(kernel, columns, (own, { first }) => {
      logits.set(own, first * columns);
    });
    return logits;
  }

  /**
   * Gradient [width, columns] of a loss with respect to a kernel [width, columns].
   *
   * @param differentiate - Receives the logits [some rows, columns] and their first row, and overwrites them with the
   * gradient with respect to them.
   */
  async gradient(
    kernel: Float32Array,
    columns: number,
    differentiate: (logits: Float32Array, firstRow: number) => void,
  ): Promise<Float64Array> {
    const gradient = new Float64Array(this.width * columns);
    await this.visit(kernel, columns, async (logits, { first, values }) => {
      differentiate(logits, first);
      const part = await product(values, logits, columns, true);
      part.forEach((value, i) => {
        gradient[i] = (gradient[i] ?? 0) + value;
      });
    });
    return gradient;
  }

  dispose(): void {
    dispose(this.blocks.map(({ values }) => values));
  }

  private async visit(
    kernel: Float32Array,
    columns: number,
    take: (logits: Float32Array, block: Block) => void | Promise<void>,
  ): Promise<void> {
    for (const block of this.blocks) {
      await take(await product(block.values, kernel, columns, false), block);
      await this.rest();
    }
  }
}

/** Multiplies a block, transposed or not, by a matrix. */
async function product(
  block: Tensor2D,
  matrix: Float32Array,
  columns: number,
  isTransposed: boolean,
): Promise<Float32Array> {
  const factor = tensor2d(matrix, [matrix.length / columns, columns]);
  const result = matMul<Tensor2D>(block, factor, isTransposed);
  try {
    const values = await result.data<'float32'>();
    return values.slice(); // Some backends return their own memory.
  } finally {
    dispose([factor, result]);
  }
}
