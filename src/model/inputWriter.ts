// Lets preprocessors of this package write an example directly into a batch, which saves one tensor per example.
import type { Preprocessor } from './model.ts';

/** Preprocesses without creating a tensor. */
export interface InputWriter<Input = unknown> {
  /** The `apply` with the same result. */
  readonly apply: unknown;
  /** Shape of every example, without the batch axis. Values are float32. */
  readonly shape: readonly number[];
  /** Writes one example. Raises the errors of `apply`. */
  write(input: Input, values: Float32Array): Promise<void>;
}

// Kept outside of the preprocessors: a copy with a different `apply` must not inherit the writer.
const writers = new WeakMap<Preprocessor, InputWriter>();

/** Registers the writer of a preprocessor. */
export function addWriter<Input, Own extends Preprocessor<Input>>(preprocessor: Own, writer: InputWriter<Input>): Own {
  writers.set(preprocessor, writer);
  return preprocessor;
}

/** The writer of a preprocessor. Undefined if it has none, or if its `apply` was replaced. */
export function writerOf(preprocessor: Preprocessor): InputWriter | undefined {
  const writer = writers.get(preprocessor);
  return writer?.apply === preprocessor.apply ? writer : undefined;
}
