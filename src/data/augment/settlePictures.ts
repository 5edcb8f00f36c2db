// Resolves a preset or a list of operations for the pictures of a base, and checks it against the base's input.
import { TransferKitError } from '../../core/errors.ts';
import type { Base } from '../../model/model.ts';
import { describeShape } from '../../core/shapes.ts';
import type { Shape } from '../../core/types.ts';
import { shown } from '../../core/shown.ts';
import type { PictureAugmentation } from './augmentPictures.ts';
import type { SettledOperation } from './operation.ts';
import { settleOperation, type ImageOperation } from './operations.ts';
import { pixelRangeOf, type PixelRange } from './pixelRange.ts';
import { augmentPresets, type AugmentPreset } from './presetOperations.ts';
import { needsRange, stepsOf } from './operationSteps.ts';

/** For steps that do not use the range. */
const anyRange: PixelRange = { black: [0, 0, 0], white: [1, 1, 1], bgr: false };

/**
 * Returns the operations for pictures of a base; undefined when there are none.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settlePictures(
  augment: AugmentPreset | readonly ImageOperation[],
  { trunk: { input }, preprocessor: { spec } }: Pick<Base, 'trunk' | 'preprocessor'>,
): PictureAugmentation | undefined {
  const listed = typeof augment === 'string' ? augmentPresets[augment]() : augment;
  const operations = listed.map((each) => checkEntry(each));
  const steps = stepsOf(operations);
  if (steps.length === 0) return undefined;
  const shape = input.shape.slice(1);
  if (shape.length !== 3 || input.dtype !== 'float32') {
    const text =
      'expected a base that takes pictures [height, width, channels] of type float32 for augment, got one that ' +
      `takes ${describeShape(shape)} of type ${input.dtype}. Give a function of your own: augment: { apply(input, seed) }.`;
    throw new TransferKitError('INVALID_OPTION', text, { shape, dtype: input.dtype });
  }
  const range = shape[2] === 1 || shape[2] === 3 ? pixelRangeOf(spec) : undefined;
  const asking = range === undefined ? operations.find(needsRange) : undefined;
  if (asking !== undefined) throw rangeUnknown(asking.operation.name, shape);
  return { steps, range: range ?? anyRange };
}

function checkEntry(entry: unknown): SettledOperation {
  const operation = isNamed(entry) ? settleOperation(entry) : undefined;
  if (operation !== undefined) return operation;
  const found = typeof entry === 'function' ? `the function ${entry.name}: call it` : shown(entry);
  const text = `expected augment to list operations such as flip() or rotate({ degrees: 10 }), got ${found}.`;
  throw new TransferKitError('INVALID_OPTION', text, { received: entry });
}

/** The error about a base whose values of black and white are unknown. */
function rangeUnknown(name: string, shape: Shape): TransferKitError {
  const [found, advice] =
    shape[2] === 1 || shape[2] === 3
      ? [
          'one that does not say which values pixels have',
          "Load it with preprocess: 'tf' or another mode, or { kind: 'tensor', range: [black, white] }",
        ]
      : [
          `one that takes ${describeShape(shape)}`,
          "List geometric operations alone, such as flip() and rotate(), which fill with 'reflect' or 'nearest'",
        ];
  const text =
    `expected a base that takes pictures of one or three channels in a known range for ${name}() in augment, got ${found}. ` +
    `${advice}; or give a function of your own: augment: { apply(input, seed) }.`;
  return new TransferKitError('INVALID_OPTION', text, { operation: name, shape });
}

function isNamed(entry: unknown): entry is { readonly name: unknown } {
  return typeof entry === 'object' && entry !== null && 'name' in entry;
}
