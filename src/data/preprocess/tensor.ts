// The preprocessor that only checks: inputs must already have the values that the base expects.
import { nameErrors } from '../../core/edge.ts';
import { Tensor, tensor as makeTensor, type DataType } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { addWriter } from '../../model/inputWriter.ts';
import { isHostTensor, type HostTensor } from '../../core/picture.ts';
import { describeShape, fits, sizeOf } from '../../core/shapes.ts';
import type { Preprocessor, TensorInputSpec } from '../../model/model.ts';
import { kindOf, shown } from '../../core/shown.ts';
import { flattenNumbers, type NestedNumbers } from './nestedValues.ts';
import { assertOptions, type NamesOf } from '../../core/optionNames.ts';

/**
 * One example as numbers: a tensor, live or in plain memory; a typed array or flat list of all values (when no axis is
 * free); or nested lists.
 */
export type TensorInput = Tensor | HostTensor | Float32Array | Int32Array | Uint8Array | readonly NestedNumbers[];

/** The preprocessor that {@link tensorPreprocessor} makes. */
export interface TensorPreprocessor extends Preprocessor<TensorInput> {
  readonly spec: TensorInputSpec;
  /** Returns the checked input as a tensor that the caller owns. */
  apply(input: TensorInput): Promise<Tensor>;
}

/** Values may exceed the declared range by this share of its width: rounding, and overshoot of filters. */
const tolerance = 0.05;

type Values = Float32Array | Int32Array | Uint8Array;

/** Fields of a spec. */
export const tensorSpecNames: NamesOf<TensorInputSpec> = { kind: true, shape: true, dtype: true, range: true };

/**
 * Makes a preprocessor that changes no values. It passes on tensors and arrays that are already in the form that the
 * base expects, after checking shape, type, finiteness and, where the spec has one, range (with a tolerance of 5 % of
 * its width).
 *
 * @param spec - `shape` of one example without the batch axis, `null` for a free axis; `dtype`; `range` of the values.
 * @returns A preprocessor. Its `apply` returns a tensor that the caller owns; the caller also keeps a given tensor. It
 * raises `WRONG_SHAPE`, `WRONG_DTYPE`, `NOT_FINITE`, `OUT_OF_RANGE`, `DISPOSED`.
 * @throws TransferKitError `INVALID_OPTION` for a wrong spec.
 *
 * @example
 * ```ts
 * import { tensorPreprocessor, useBackend } from 'transferkit';
 * await useBackend('cpu');
 * const preprocessor = tensorPreprocessor({ shape: [4], dtype: 'float32' });
 * const input = await preprocessor.apply([5.1, 3.5, 1.4, 0.2]);
 * console.log(input.shape); // [ 4 ]
 * input.dispose();
 * ```
 */
export function tensorPreprocessor(spec: Omit<TensorInputSpec, 'kind'>): TensorPreprocessor {
  return nameErrors('tensorPreprocessor', () => {
    assertOptions<Partial<TensorInputSpec>>(spec, tensorSpecNames);
    const full: TensorInputSpec = { ...spec, kind: 'tensor' };
    assertTensorSpec(full);
    const apply = (input: TensorInput): Promise<Tensor> =>
      nameErrors('tensorPreprocessor', () => toTensor(input, full));
    const shape = full.shape.filter((axis) => axis !== null);
    const preprocessor = { spec: full, apply };
    if (shape.length < full.shape.length || full.dtype !== 'float32') return preprocessor;
    return addWriter(preprocessor, {
      apply,
      shape,
      write: (input: TensorInput, values) => nameErrors('tensorPreprocessor', () => writeValues(input, full, values)),
    });
  });
}

async function toTensor(input: TensorInput, spec: TensorInputSpec): Promise<Tensor> {
  if (input instanceof Tensor) {
    await checkedValues(input, spec);
    return input.clone();
  }
  const { shape, values } = checkedHost(input, spec);
  return makeTensor(valuesFor(values, spec), [...shape], spec.dtype);
}

async function writeValues(input: TensorInput, spec: TensorInputSpec, values: Float32Array): Promise<void> {
  values.set(input instanceof Tensor ? await checkedValues(input, spec) : checkedHost(input, spec).values);
}

/** Checks the values of a tensor and returns them; empty for types whose values need no check. */
async function checkedValues(input: Tensor, spec: TensorInputSpec): Promise<Float32Array | Int32Array> {
  if (input.isDisposed) {
    const text = 'expected a live tensor, got one that is disposed. Dispose it after use.';
    throw new TransferKitError('DISPOSED', text, { shape: input.shape });
  }
  assertShape(input.shape, spec);
  if (input.dtype !== spec.dtype) throw wrongType(`a tensor of type ${input.dtype}`, spec.dtype);
  if (input.dtype !== 'float32' && input.dtype !== 'int32') return new Int32Array(0);
  const values = await input.data<'float32' | 'int32'>();
  assertValues(values, spec);
  return values;
}

function checkedHost(input: Exclude<TensorInput, Tensor>, spec: TensorInputSpec): Host {
  const host = toHost(input, spec);
  assertShape(host.shape, spec);
  assertValues(host.values, spec);
  return host;
}

interface Host {
  readonly shape: readonly number[];
  readonly values: Values | readonly number[];
}

function toHost(input: Exclude<TensorInput, Tensor>, spec: TensorInputSpec): Host {
  if (isHostTensor(input)) {
    if (input.dtype !== spec.dtype) throw wrongType(`values of type ${input.dtype}`, spec.dtype);
    assertComplete(input);
    return input;
  }
  if (input instanceof Float32Array || input instanceof Int32Array || input instanceof Uint8Array)
    return shaped(input, spec);
  if (!Array.isArray(input)) throw notNumbers(input, spec);
  const { shape, values } = flattenNumbers(input);
  return shape.length === 1 ? shaped(values, spec) : { shape, values };
}

function assertComplete({ shape, values }: HostTensor): void {
  if (values.length === sizeOf(shape)) return;
  const text =
    `expected ${String(sizeOf(shape))} values for shape ${describeShape(shape)}, got ` + `${String(values.length)}.`;
  throw new TransferKitError('WRONG_SHAPE', text, { expected: shape, length: values.length });
}

/** Gives a flat list of values the shape of the spec. A free axis is allowed only if the values have one axis. */
function shaped(values: Values | readonly number[], spec: TensorInputSpec): Host {
  const { shape } = spec;
  if (shape.length === 1) return { shape: [values.length], values };
  const whole = shape.filter((axis) => axis !== null);
  if (whole.length === shape.length && sizeOf(shape) === values.length) return { shape: whole, values };
  const expected =
    whole.length === shape.length
      ? `${String(sizeOf(shape))} values for shape ${describeShape(shape)}`
      : describeShape(shape);
  const advice =
    whole.length === shape.length
      ? 'Check the size of one example.'
      : 'With a free axis give a tensor or nested lists.';
  const text = `expected ${expected}, got a flat list of ${String(values.length)} values. ${advice}`;
  throw new TransferKitError('WRONG_SHAPE', text, { expected: shape, length: values.length });
}

function assertShape(shape: readonly number[], spec: TensorInputSpec): void {
  if (fits(shape, spec.shape)) return;
  const batched = fits(shape.slice(1), spec.shape);
  const advice = batched
    ? 'Give one example without the batch axis: tf.squeeze(tensor, [0]), or one row at a time.'
    : 'Bring it to that shape first.';
  const text = `expected one example of shape ${describeShape(spec.shape)}, got ${describeShape(shape)}.`;
  throw new TransferKitError('WRONG_SHAPE', `${text} ${advice}`, { expected: spec.shape, got: shape });
}

function assertValues(values: Values | readonly number[], spec: TensorInputSpec): void {
  if (spec.range === undefined && values instanceof Float32Array && areFinite(values)) return;
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (!Number.isFinite(value)) {
      const text = `expected finite values, got ${String(value)} at position ${String(i)}.`;
      throw new TransferKitError('NOT_FINITE', `${text} Fill in or leave out missing values.`, { value, index: i });
    }
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
  }
  if (spec.range === undefined) return;
  const [low, high] = spec.range;
  const spare = (high - low) * tolerance;
  if (smallest >= low - spare && largest <= high + spare) return;
  const pixels = smallest >= 0 && largest > 1 && largest <= 255;
  const advice = pixels
    ? ' They look like pixels 0..255: use image preprocessing, or scale them.'
    : ' Scale them first.';
  throw new TransferKitError(
    'OUT_OF_RANGE',
    `expected values in the range that the base was trained on, ${String(low)}..${String(high)}, got ` +
      `values in ${String(smallest)}..${String(largest)}.${advice}`,
    { expected: spec.range, got: [smallest, largest] },
  );
}

/**
 * Whether all values are finite: zero times any other value is NaN. Four separate sums run in parallel in the
 * processor.
 */
function areFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i += 4) {
    a += (values[i] ?? 0) * 0;
    b += (values[i + 1] ?? 0) * 0;
    c += (values[i + 2] ?? 0) * 0;
    d += (values[i + 3] ?? 0) * 0;
  }
  return a + b + c + d === 0;
}

/** Converts values to the array that tfjs takes for the type; a copy, so that the caller may reuse its array. */
function valuesFor(values: Values | readonly number[], spec: TensorInputSpec): Values {
  if (spec.dtype === 'float32') return new Float32Array(values);
  if (!Array.from(values).every((value) => Number.isInteger(value)))
    throw wrongType('numbers with fractions', spec.dtype);
  return spec.dtype === 'bool' ? Uint8Array.from(values) : Int32Array.from(values);
}

function wrongType(got: string, dtype: DataType): TransferKitError {
  const text = `expected ${dtype} values, got ${got}. Convert them: tf.cast(tensor, '${dtype}').`;
  return new TransferKitError('WRONG_DTYPE', text, { expected: dtype, got });
}

function notNumbers(input: unknown, spec: TensorInputSpec): TransferKitError {
  const came = typeof input === 'string' ? `the text '${input.slice(0, 100)}'` : kindOf(input);
  return new TransferKitError(
    'WRONG_DTYPE',
    `expected a tensor or numbers of shape ${describeShape(spec.shape)}, got ${came}. If the base takes ` +
      "pictures, tell it how they are scaled: loadBase(source, { preprocess: 'tf' }).",
    { came },
  );
}

/** A spec may come from a file, so its type is not guaranteed. */
function assertTensorSpec({ shape, dtype, range }: TensorInputSpec): void {
  const isShape = Array.isArray(shape) && shape.every((axis) => axis === null || (Number.isInteger(axis) && axis > 0));
  const isRange = range === undefined || (range.every((each) => Number.isFinite(each)) && range[0] < range[1]);
  if (isShape && isRange && ['float32', 'int32', 'bool'].includes(dtype)) return;
  throw new TransferKitError(
    'INVALID_OPTION',
    'expected shape to be a list of whole numbers above 0 (null for a free axis), dtype float32, int32 ' +
      `or bool, and range, if given, [smallest, largest], got ${shown({ shape, dtype, range })}.`,
    { shape, dtype, range },
  );
}
