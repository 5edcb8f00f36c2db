// Types of operations: plain data made by a function of the same name, and the rule that applies it.
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { ColourChange } from './colourChange.ts';
import type { Random, Size } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { PixelRange } from './pixelRange.ts';

/** Values outside the picture: the mirrored picture, the nearest pixel, or a gray 0 … 1. */
export type PictureFill = 'reflect' | 'nearest' | number;

/** A change of pictures as plain data: its name and its options, with defaults filled in. Training applies it. */
export type Operation<Name extends string, Options extends object> = { readonly name: Name } & Readonly<
  Required<Options>
>;

/** The fields that all operations have. */
export interface AnyOperation {
  readonly name: string;
  readonly probability: number;
  readonly fill?: PictureFill;
}

/**
 * An operation that moves pixels: `map` draws the map from each pixel of the result to its source, for a picture of a
 * given size.
 */
export interface GeometricChange {
  readonly kind: 'geometry';
  readonly operation: AnyOperation;
  /** Undefined when it never reads outside the picture. */
  readonly fill: PictureFill | undefined;
  map(random: Random, size: Size): Matrix;
}

/** An operation that maps colours to colours. */
export interface ColourfulChange {
  readonly kind: 'colours';
  readonly operation: AnyOperation;
  change(random: Random): ColourChange;
}

/** Any other operation: it computes new pixels. */
export interface PixelChange {
  readonly kind: 'pixels';
  readonly operation: AnyOperation;
  /**
   * Changes a picture [1, height, width, channels] in the values that the base takes. Returns a new tensor; the caller
   * tidies intermediate tensors.
   */
  apply(picture: Tensor4D, random: Random, range: PixelRange): Tensor4D;
}

/** An operation with checked settings, ready to be applied. */
export type SettledOperation = GeometricChange | ColourfulChange | PixelChange;

/** A row of the table of operations. */
export interface OperationRule<Made extends AnyOperation> {
  /** Makes the operation; raises `INVALID_OPTION`. */
  readonly make: (options?: object) => Made;
  /** Checks an operation that may have been written by hand or read from a file; raises `INVALID_OPTION`. */
  readonly settle: (given: object) => SettledOperation;
}

/** The row of an operation that moves pixels. */
export function geometric<Made extends AnyOperation>(
  make: OperationRule<Made>['make'],
  map: (operation: Made, random: Random, size: Size) => Matrix,
): OperationRule<Made> {
  return {
    make,
    settle: (given) => {
      const operation = make(given);
      return { kind: 'geometry', operation, fill: operation.fill, map: (random, size) => map(operation, random, size) };
    },
  };
}

/** The row of an operation that maps colours to colours. */
export function colourful<Made extends AnyOperation>(
  make: OperationRule<Made>['make'],
  change: (operation: Made, random: Random) => ColourChange,
): OperationRule<Made> {
  return {
    make,
    settle: (given) => {
      const operation = make(given);
      return { kind: 'colours', operation, change: (random) => change(operation, random) };
    },
  };
}

/** The row of an operation of another kind. */
export function pixelwise<Made extends AnyOperation>(
  make: OperationRule<Made>['make'],
  apply: (operation: Made, picture: Tensor4D, random: Random, range: PixelRange) => Tensor4D,
): OperationRule<Made> {
  return {
    make,
    settle: (given) => {
      const operation = make(given);
      return {
        kind: 'pixels',
        operation,
        apply: (picture, random, range) => apply(operation, picture, random, range),
      };
    },
  };
}
