// Creates preprocessors from their saved description.
import { TransferKitError } from '../../core/errors.ts';
import type { Preprocessor, PreprocessorSpec } from '../../model/model.ts';
import type { PictureLimits } from '../../core/pictureLimits.ts';
import { imagePreprocessor } from './image.ts';
import { tensorPreprocessor } from './tensor.ts';

/**
 * Returns the preprocessor that a spec describes, such as one saved with a model.
 *
 * @param limits - For kind 'image': which encoded pictures are accepted.
 * @throws TransferKitError `PREPROCESSOR_UNKNOWN` for kind 'custom' and for kinds this version does not know,
 * `INVALID_OPTION` for a damaged spec.
 */
export function preprocessorFrom(spec: PreprocessorSpec, limits?: PictureLimits): Preprocessor {
  const kind: string = spec.kind;
  switch (spec.kind) {
    case 'image':
      return imagePreprocessor(spec, limits);
    case 'tensor':
      return tensorPreprocessor(spec);
    case 'custom':
      throw new TransferKitError(
        'PREPROCESSOR_UNKNOWN',
        `expected a preprocessing that this package knows, got the user's own '${spec.name}'. A file ` +
          'cannot hold its function: hand the preprocessor in again, as the option preprocess.',
        { name: spec.name },
      );
    default:
      throw new TransferKitError(
        'PREPROCESSOR_UNKNOWN',
        `expected a preprocessing of kind 'image', 'tensor' or 'custom', got '${kind}'. It may come from a ` +
          'newer version of transferkit: update the package.',
        { kind },
      );
  }
}
