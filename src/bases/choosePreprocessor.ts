// Chooses the preprocessor of a base: the user's, the saved one, or none.
import { TransferKitError } from '../core/errors.ts';
import { isObject } from '../core/optionChecks.ts';
import { assertOptions } from '../core/optionNames.ts';
import { describeShape } from '../core/shapes.ts';
import type { ImageMode, ImageSpec, Preprocessor, PreprocessorSpec, TensorInputSpec } from '../model/model.ts';
import { settleLimits, type PictureLimits } from '../core/pictureLimits.ts';
import type { TensorSpec } from '../core/types.ts';
import { assertImageNames, imageSpec } from '../data/preprocess/image.ts';
import { preprocessorFrom } from '../data/preprocess/preprocessorFrom.ts';
import { assertModeNames } from '../data/preprocess/scale.ts';
import { tensorPreprocessor, tensorSpecNames } from '../data/preprocess/tensor.ts';

/** An image mode, a spec whose missing fields are filled in from the base, or a whole preprocessor. */
export type PreprocessOption =
  | ImageMode
  | (Partial<ImageSpec> & { readonly kind: 'image'; readonly mode: ImageMode })
  | (Partial<TensorInputSpec> & { readonly kind: 'tensor' })
  | Preprocessor;

/** The facts that decide the preprocessing of a base. */
export interface PreprocessChoice {
  /** The user's option. */
  readonly option: PreprocessOption | undefined;
  /** Preprocessing that was saved with the model. */
  readonly saved: PreprocessorSpec | undefined;
  /** Limits on encoded pictures. */
  readonly pictures: PictureLimits | undefined;
}

/**
 * Raises for names of preprocessing that do not exist, before anything is read.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertPreprocessing(options: {
  readonly preprocess?: PreprocessOption;
  readonly pictures?: PictureLimits;
}): void {
  const { preprocess, pictures } = options;
  if (pictures !== undefined) settleLimits(pictures);
  if (!isObject(preprocess) || isPreprocessor(preprocess)) return;
  if (!('kind' in preprocess)) assertModeNames(preprocess);
  else if (preprocess.kind === 'tensor') assertOptions(preprocess, tensorSpecNames, { of: 'preprocess' });
  else assertImageNames(preprocess, 'preprocess');
}

/**
 * The preprocessing of a base.
 *
 * @param input - Input shape of the trunk, with the batch axis.
 * @throws TransferKitError `INVALID_OPTION`, `PREPROCESSOR_UNKNOWN`.
 */
export function choosePreprocessor(input: TensorSpec, choice: PreprocessChoice): Preprocessor {
  const preprocessor = choose(input, choice);
  if (choice.pictures === undefined || (preprocessor.spec.kind === 'image' && !isPreprocessor(choice.option))) {
    return preprocessor;
  }
  const found = isPreprocessor(choice.option)
    ? 'a preprocessor of your own'
    : `preprocessing of kind '${preprocessor.spec.kind}'`;
  const text =
    `expected image preprocessing for the option pictures, which limits what is decoded, got ${found}. ` +
    "Give a mode, such as preprocess: 'tf', or leave pictures out.";
  throw new TransferKitError('INVALID_OPTION', text, { pictures: choice.pictures });
}

function choose(input: TensorSpec, { option, saved, pictures }: PreprocessChoice): Preprocessor {
  if (isPreprocessor(option)) return option;
  const shape = input.shape.slice(1);
  if (option === undefined) {
    return saved === undefined
      ? tensorPreprocessor({ shape, dtype: input.dtype })
      : preprocessorFrom(refit(saved, shape, input.dtype), pictures);
  }
  if (isObject(option) && 'kind' in option && option.kind === 'tensor') {
    return tensorPreprocessor({ shape, dtype: input.dtype, ...option });
  }
  const given = isObject(option) && 'kind' in option ? option : { mode: option, size: undefined };
  return preprocessorFrom(
    imageSpec({ ...channelsOf(shape), ...given, size: given.size ?? imageSize(shape) }),
    pictures,
  );
}

/** Saved preprocessing for the current input shape of the base, if that is fixed. */
function refit(saved: PreprocessorSpec, shape: TensorSpec['shape'], dtype: TensorSpec['dtype']): PreprocessorSpec {
  if (saved.kind === 'tensor' && isList(saved.shape)) return refitTensor(saved, shape, dtype);
  const isFixed = shape[0] !== null && shape[1] !== null;
  return saved.kind === 'image' && isFixed ? { ...saved, ...channelsOf(shape), size: imageSize(shape) } : saved;
}

function refitTensor(saved: TensorInputSpec, shape: TensorSpec['shape'], dtype: TensorSpec['dtype']): TensorInputSpec {
  const isSameRank = saved.shape.length === shape.length;
  return {
    ...saved,
    shape: isSameRank ? shape.map((axis, i) => axis ?? saved.shape[i] ?? null) : shape,
    // A base of float32 accepts every numeric type.
    dtype: dtype === 'float32' ? saved.dtype : dtype,
  };
}

/** The shape in a spec from a file may be anything. It is validated where it is used. */
function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function imageSize(shape: TensorSpec['shape']): readonly [number, number] {
  const [height, width, channels] = shape;
  const isPicture = shape.length === 3 && (channels === 1 || channels === 3 || channels === 4);
  if (isPicture && typeof height === 'number' && typeof width === 'number') return [height, width];
  throw new TransferKitError(
    'INVALID_OPTION',
    'expected a base with pictures [height, width, 1, 3 or 4] for image preprocessing, got input ' +
      `${describeShape(shape)}.${isPicture ? ' Give inputSize.' : ''}`,
    { shape },
  );
}

/** Channels of the base if they are not the usual three. */
function channelsOf(shape: TensorSpec['shape']): Pick<ImageSpec, 'channels'> {
  const channels = shape.length === 3 ? shape[2] : undefined;
  return channels === 1 || channels === 4 ? { channels } : {};
}

function isPreprocessor(option: PreprocessOption | undefined): option is Preprocessor {
  return isObject(option) && 'apply' in option;
}
