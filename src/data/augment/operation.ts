// What an operation is: plain data that a function of the same name makes, and how it is carried out.
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { ColourChange } from './colourChange.ts';
import type { Random, Size } from './drawing.ts';
import type { Matrix } from './matrix.ts';
import type { PixelRange } from './pixelRange.ts';

/** What is seen where an operation looks outside the picture: the picture in a mirror, its nearest pixel, or a gray 0 … 1. */
export type PictureFill = 'reflect' | 'nearest' | number;

/** A change of pictures as plain data: its name and its options with defaults filled in. Training carries it out. */
export type Operation<Name extends string, Options extends object> = { readonly name: Name } & Readonly<
  Required<Options>
>;

/** What all operations have. */
export interface AnyOperation {
  readonly name: string;
  readonly probability: number;
  readonly fill?: PictureFill;
}

/** An operation that moves pixels: `map` draws where it looks for each pixel of a picture of some size. */
export interface GeometricChange {
  readonly kind: 'geometry';
  readonly operation: AnyOperation;
  /** Undefined: it never looks outside the picture. */
  readonly fill: PictureFill | undefined;
  map(random: Random, size: Size): Matrix;
}

/** An operation that gives each colour another. */
export interface ColourfulChange {
  readonly kind: 'colours';
  readonly operation: AnyOperation;
  change(random: Random): ColourChange;
}

/** The rest: an operation that makes pixels of pixels, or of nothing. */
export interface PixelChange {
  readonly kind: 'pixels';
  readonly operation: AnyOperation;
  /**
   * Changes a picture [1, height, width, channels] in the values that the base takes. Gives a new tensor; others that were
   * made are the caller's to tidy.
   */
  apply(picture: Tensor4D, random: Random, range: PixelRange): Tensor4D;
}

/** An operation with its settings checked, ready to be carried out. */
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

/** The row of an operation that gives each colour another. */
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
