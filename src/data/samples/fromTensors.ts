// Makes samples from a tensor whose first axis counts examples. The values are copied into plain memory once: the
// samples need no disposal, and the caller may dispose of the tensors at once.
import { nameErrors } from '../../core/edge.ts';
import { Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import type { HostTensor } from '../../core/picture.ts';
import { describeShape, sizeOf } from '../../core/shapes.ts';
import type { OnUnreadable, Samples, Target } from '../../core/types.ts';
import { samplesOfArrays } from './fromArrays.ts';
import type { GivenLabels } from './targetRecords.ts';
import { assertOptions } from '../../core/optionNames.ts';

/** Examples as tensors. */
export interface TensorsOptions {
  /** Shape [examples, …], type float32, int32 or bool. */
  readonly inputs: Tensor;
  /**
   * An array of targets, or a tensor: [examples] of text or numbers, or [examples, values] of numbers. Numbers are
   * regression targets; with given `labels` they are indexes, or shares 0 … 1 for each label.
   */
  readonly targets: readonly Target[] | Tensor;
  /** Labels, by head where targets are records. Default: the labels of the targets in alphabetical order. */
  readonly labels?: GivenLabels;
  /** Names for messages and reports. Default: `example 0`, `example 1` … */
  readonly ids?: readonly string[];
  /** What a verb does with an example that cannot be read. Default 'error'. */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * Makes samples from tensors. Their values are copied: the caller keeps the tensors and may dispose of them at once.
 *
 * @param options - Inputs whose first axis counts examples, and targets.
 * @returns Samples whose inputs are tensors in plain memory, without the axis of examples. 'image' preprocessing takes
 * them as pixels 0..255, 'tensor' preprocessing unchanged.
 * @throws TransferKitError `NO_EXAMPLES`; `WRONG_SHAPE`; `WRONG_DTYPE`; `DISPOSED`; `INVALID_OPTION` for different
 * numbers of inputs and targets, and for mixed or non-finite targets; `UNKNOWN_LABEL`; `OUT_OF_RANGE`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { fromTensors, useBackend } from 'transferkit';
 * await useBackend('cpu');
 * const inputs = tf.tensor2d([[0, 1], [2, 3]]);
 * const samples = await fromTensors({ inputs, targets: ['low', 'high'] });
 * inputs.dispose();
 * console.log(samples.size); // 2
 * ```
 */
export async function fromTensors(options: TensorsOptions): Promise<Samples<HostTensor>> {
  return nameErrors('fromTensors', async () => {
    assertOptions(options, { inputs: true, targets: true, labels: true, ids: true, onUnreadable: true });
    const { inputs, targets, ...rest } = options;
    return samplesOfArrays({
      ...rest,
      inputs: await readInputs(inputs),
      targets: isTensor(targets) ? await readTargets(targets) : targets,
    });
  });
}

/** Untyped programs may pass anything. */
function assertTensor(value: unknown, name: string, expected: string): void {
  if (!(value instanceof Tensor)) throw invalidOption(`${name} to be ${expected}`, value);
}

async function readInputs(inputs: Tensor): Promise<HostTensor[]> {
  assertTensor(inputs, 'inputs', 'a tensor of shape [examples, …]');
  assertLive(inputs, 'inputs');
  const { dtype, shape } = inputs;
  if (shape.length === 0) {
    const text = 'expected inputs of shape [examples, …], got a scalar. Stack the examples: tf.stack(list).';
    throw new TransferKitError('WRONG_SHAPE', text, { shape });
  }
  const [count = 0, ...rest] = shape;
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') throw wrongType('inputs', dtype);
  // A copy: on the cpu backend data() returns the tensor's own memory.
  const values = (await inputs.data<typeof dtype>()).slice();
  const length = sizeOf(rest);
  return Array.from({ length: count }, (_, i) => ({
    shape: rest,
    dtype,
    values: values.subarray(i * length, (i + 1) * length),
  }));
}

async function readTargets(targets: Tensor): Promise<Target[]> {
  assertTensor(targets, 'targets', 'an array or a tensor');
  assertLive(targets, 'targets');
  const { dtype, shape } = targets;
  const [count, width]: readonly (number | undefined)[] = shape;
  if (count === undefined || shape.length > 2) {
    const text = `expected targets of shape [examples] or [examples, values], got ${describeShape(shape)}.`;
    throw new TransferKitError('WRONG_SHAPE', text, { shape });
  }
  if (dtype === 'string' && width === undefined) return targets.data<'string'>();
  if (dtype !== 'float32' && dtype !== 'int32') throw wrongType('targets', dtype);
  const values = Array.from(await targets.data<typeof dtype>());
  if (width === undefined) return values;
  return Array.from({ length: count }, (_, i) => values.slice(i * width, (i + 1) * width));
}

function isTensor(targets: readonly Target[] | Tensor): targets is Tensor {
  return !Array.isArray(targets);
}

function assertLive(tensor: Tensor, name: string): void {
  if (!tensor.isDisposed) return;
  const text = `expected live ${name}, got a tensor that is disposed. Dispose it after use.`;
  throw new TransferKitError('DISPOSED', text, { name });
}

function wrongType(name: string, dtype: string): TransferKitError {
  const expected =
    name === 'inputs' ? 'float32, int32 or bool' : 'float32 or int32 (numbers), or [examples] of string (labels)';
  const text = `expected ${name} of type ${expected}, got ${dtype}. Convert them: tf.cast(tensor, 'float32').`;
  return new TransferKitError('WRONG_DTYPE', text, { name, dtype });
}
