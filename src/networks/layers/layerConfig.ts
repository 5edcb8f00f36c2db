// Shared by the layers of this package: reads the configuration that tfjs passes to their constructors, with checks,
// because a file may hold anything.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { layers, Shape } from '@tensorflow/tfjs-layers';

/** The configuration that tfjs passes to a layer's constructor: keys and string values in camelCase. */
export type LayerConfig = NonNullable<ConstructorParameters<typeof layers.Layer>[0]> &
  Readonly<Record<string, unknown>>;

/** A constant of any shape: a number, or nested lists of numbers. */
export type Constant = number | readonly Constant[];

/** The only input tensor of a layer. */
export function single(inputs: Tensor | Tensor[]): Tensor {
  const [first] = Array.isArray(inputs) ? inputs : [inputs];
  if (first === undefined) throw new RangeError('expected one tensor, got an empty list');
  return first;
}

/** The shape of the only input tensor of a layer. */
export function singleShape(shape: Shape | Shape[]): Shape {
  return isShapeList(shape) ? (shape[0] ?? []) : shape;
}

/** The input tensors of a layer with several inputs. */
export function tensorList(inputs: Tensor | Tensor[]): readonly Tensor[] {
  return Array.isArray(inputs) ? inputs : [inputs];
}

/** The shapes of the input tensors of a layer with several inputs. */
export function shapeList(shape: Shape | Shape[]): readonly Shape[] {
  return isShapeList(shape) ? shape : [shape];
}

function isShapeList(shape: Shape | Shape[]): shape is Shape[] {
  return Array.isArray(shape[0]);
}

/** A number from a configuration. */
export function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

/** A pair from a configuration. A single number is used twice. */
export function pairOf(value: unknown, otherwise: number): [number, number] {
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const [first, second] = both;
  return [numberOf(first, otherwise), numberOf(second, numberOf(first, otherwise))];
}

/** A constant from a configuration, copied. */
export function constantOf(value: unknown): Constant | undefined {
  if (typeof value === 'number') return value;
  if (!Array.isArray(value)) return undefined;
  const items = value.map((each: unknown) => constantOf(each)).filter((each) => each !== undefined);
  return items.length === value.length ? items : undefined;
}

/** A constant, typed as tfjs types it. */
export function plainConstant(value: Constant): number | number[] {
  return typeof value === 'number' ? value : value.flatMap((each) => plainConstant(each));
}

/** The shape of a constant whose rows have equal lengths. */
export function constantShape(value: Constant): number[] {
  if (typeof value === 'number') return [];
  const [first] = value;
  return [value.length, ...(first === undefined ? [] : constantShape(first))];
}
