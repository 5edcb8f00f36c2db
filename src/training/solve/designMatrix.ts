// Features of all examples on the backend, for the two matrix products of fitting a linear head.
import {
  concat,
  dispose,
  gather,
  keep,
  matMul,
  slice2d,
  tensor1d,
  tensor2d,
  tidy,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { valuesInPlace } from '../../engines/kernels/valuesInPlace.ts';

/** A range of its rows. */
interface Block {
  readonly first: number;
  readonly values: Tensor2D;
}

/** What a gradient is made of, and who receives it. */
export interface Differentiation {
  /** Receives logits [some rows, columns] and their first row, and overwrites them with the gradient with respect to them. */
  readonly differentiate: (logits: Float32Array, firstRow: number) => void;
  /** Receives a part of the gradient [width, columns], which is the sum of its parts. It is valid during the call only. */
  readonly add: (part: Float32Array) => void;
}

/** What the products of a matrix need. */
export interface DesignOptions {
  /** Maximum number of columns of later products; it determines the size of the blocks. */
  readonly columns: number;
  /** Called after each block. */
  readonly rest: () => Promise<void>;
}

/**
 * Approximate number of multiplications in one product of a block: it takes about a millisecond, on the cpu backend
 * tens of them.
 */
const workOfBlock = 2 ** 24;
/**
 * Minimum number of rows of a block. Adding a block's gradient to those of the others takes as long as multiplying some
 * tens of rows.
 */
const fewestRows = 512;

/** Most logits of a block, unless it has the fewest rows. */
const mostLogits = 2 ** 22;
const fewestForLogits = 64;

/** Features, a row for each example. */
export class DesignMatrix {
  readonly rows: number;
  readonly width: number;
  private readonly blocks: readonly Block[];

  /** @param blocks - Its rows; it owns them. */
  private constructor(
    blocks: readonly Tensor2D[],
    private readonly options: DesignOptions,
  ) {
    this.width = blocks[0]?.shape[1] ?? 0;
    let rows = 0;
    this.blocks = blocks.map((values) => {
      const first = rows;
      rows += values.shape[0];
      return { first, values };
    });
    this.rows = rows;
  }

  /** Copies values [rows, width] to the backend. */
  static of(values: Float32Array, width: number, options: DesignOptions): DesignMatrix {
    const blocks = rangesOf(values.length / width, width, options).map(([first, end]) => {
      return tensor2d(values.subarray(first * width, end * width), [end - first, width]);
    });
    return new DesignMatrix(blocks, options);
  }

  /** Copies some rows, in rising order, to a matrix of their own. */
  pick(rows: readonly number[]): DesignMatrix {
    const { options, width } = this;
    const blocks = tidy(() => {
      const whole = concat(this.blocks.flatMap((block) => gatherFrom(block, rows)));
      return rangesOf(rows.length, width, options).map(([first, end]) => {
        return keep(slice2d(whole, [first, 0], [end - first, width]));
      });
    });
    return new DesignMatrix(blocks, options);
  }

  /** Multiplies by a kernel [width, columns]. Returns logits [rows, columns]. */
  async logits(kernel: Float32Array, columns: number): Promise<Float32Array> {
    const logits = new Float32Array(this.rows * columns);
    await this.visit(kernel, columns, async (own, { first }) => {
      logits.set(valuesInPlace(own) ?? (await own.data<'float32'>()), first * columns);
    });
    return logits;
  }

  /** Computes the gradient of a loss with respect to a kernel [width, columns]. */
  async gradient(kernel: Float32Array, columns: number, { differentiate, add }: Differentiation): Promise<void> {
    await this.visit(kernel, columns, async (logits, { first, values }) => {
      const slopes = await differentiated(logits, (own) => {
        differentiate(own, first);
      });
      const part = matMul<Tensor2D>(values, slopes, true);
      try {
        add(valuesInPlace(part) ?? (await part.data<'float32'>()));
      } finally {
        dispose([part, slopes]);
      }
    });
  }

  dispose(): void {
    dispose(this.blocks.map(({ values }) => values));
  }

  private async visit(
    kernel: Float32Array,
    columns: number,
    take: (logits: Tensor2D, block: Block) => Promise<void>,
  ): Promise<void> {
    const factor = tensor2d(kernel, [this.width, columns]);
    try {
      for (const block of this.blocks) {
        const logits = matMul<Tensor2D>(block.values, factor);
        try {
          await take(logits, block);
        } finally {
          logits.dispose();
        }
        await this.options.rest();
      }
    } finally {
      factor.dispose();
    }
  }
}

function gatherFrom({ first, values }: Block, rows: readonly number[]): Tensor2D[] {
  const own = rows.filter((row) => row >= first && row < first + values.shape[0]).map((row) => row - first);
  return own.length === 0 ? [] : [gather(values, tensor1d(own, 'int32'))];
}

/** First row of each block, and the row after its last. */
function rangesOf(rows: number, width: number, { columns }: DesignOptions): [number, number][] {
  const fewest = Math.min(fewestRows, Math.max(fewestForLogits, Math.floor(mostLogits / columns)));
  const each = Math.max(fewest, Math.floor(workOfBlock / (width * columns)));
  return Array.from({ length: Math.ceil(rows / each) }, (_, place) => [
    place * each,
    Math.min(rows, (place + 1) * each),
  ]);
}

/** Changes values: in place where their memory can be reached. The caller owns the result. */
async function differentiated(logits: Tensor2D, change: (values: Float32Array) => void): Promise<Tensor2D> {
  const inPlace = valuesInPlace(logits);
  if (inPlace !== undefined) {
    change(inPlace);
    return logits.clone();
  }
  const values = (await logits.data<'float32'>()).slice(); // Some backends return their own memory.
  change(values);
  return tensor2d(values, logits.shape);
}
