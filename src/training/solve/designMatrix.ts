// Features of all examples on the backend, for the two products that a linear head is fitted with.
import { dispose, matMul, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';

/** Some rows of it. */
interface Block {
  readonly first: number;
  readonly values: Tensor2D;
}

/** Multiplications in one product of a block, about: a millisecond's work, tens of them on the cpu backend. */
const workOfBlock = 2 ** 24;
/** Rows that are worth a product of their own. */
const fewestRows = 128;

/** Features, a row for each example. */
export class DesignMatrix {
  readonly rows: number;
  private readonly blocks: readonly Block[];

  /**
   * @param values - [rows, width]
   * @param columns - Columns of the products to come, at most: the size of the blocks goes by it.
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

  /** Logits [rows, columns] by a kernel [width, columns]. */
  async logits(kernel: Float32Array, columns: number): Promise<Float32Array> {
    const logits = new Float32Array(this.rows * columns);
    await this.visit(kernel, columns, (own, { first }) => {
      logits.set(own, first * columns);
    });
    return logits;
  }

  /**
   * Gradient [width, columns] of a loss by a kernel [width, columns].
   *
   * @param differentiate - Is given the logits [some rows, columns] from a row on, and puts the gradient by them in their place.
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

/** A block, transposed or not, times a matrix. */
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
    return values.slice(); // Some backends hand out their own memory.
  } finally {
    dispose([factor, result]);
  }
}
