// How preprocessors of this package put an example right into its place in a batch, which spares a tensor for each.
import type { Preprocessor } from './model.ts';

/** Preprocesses without making a tensor. */
export interface InputWriter<Input = unknown> {
  /** The function that this does the same as. */
  readonly apply: unknown;
  /** Shape of every example, without the batch axis. Values are float32. */
  readonly shape: readonly number[];
  /** Raises what `apply` raises. */
  write(input: Input, values: Float32Array): Promise<void>;
}

// Kept beside the preprocessors, not in them: a copy whose `apply` is another must not bring this along.
const writers = new WeakMap<Preprocessor, InputWriter>();

/** Says that a preprocessor can write. */
export function addWriter<Input, Own extends Preprocessor<Input>>(preprocessor: Own, writer: InputWriter<Input>): Own {
  writers.set(preprocessor, writer);
  return preprocessor;
}

/** How a preprocessor writes; undefined for one that cannot, and for one whose `apply` was replaced. */
export function writerOf(preprocessor: Preprocessor): InputWriter | undefined {
  const writer = writers.get(preprocessor);
  return writer?.apply === preprocessor.apply ? writer : undefined;
}
