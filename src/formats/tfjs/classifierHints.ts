// Reads facts that other tools write next to a finished classifier: the names of its outputs and the preprocessing of
// its input.
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ImageSpec, PreprocessorSpec } from '../../model/model.ts';

/** Facts about a classifier that are not part of its network. */
export interface ClassifierHints {
  readonly labels?: readonly string[];
  /** The tool's preprocessing of pictures. */
  readonly preprocess?: Pick<ImageSpec, 'kind' | 'mode' | 'fit'>;
  /** A complete spec, as `toGraphModel` writes it. */
  readonly preprocessor?: PreprocessorSpec;
}

/**
 * Both crop the middle square of a picture and scale it to -1 … 1: @teachablemachine/image 0.8.5, ml5 0.12
 * (imageUtilities).
 */
const middleSquare = { kind: 'image', mode: 'tf', fit: 'cover' } as const;

/** Reads the hints of a `model.json`: ml5's `ml5Specs`, or the metadata that `toGraphModel` writes. */
export function modelHints({ ml5Specs, labels, preprocessor }: JsonObject): ClassifierHints {
  if (isJsonObject(ml5Specs) && isTexts(ml5Specs.mapStringToIndex)) {
    return { labels: ml5Specs.mapStringToIndex, preprocess: middleSquare };
  }
  return { ...(isTexts(labels) && { labels }), ...(isSpec(preprocessor) && { preprocessor }) };
}

/** Reads the hints of the `metadata.json` that Teachable Machine writes next to its `model.json`. */
export function teachableMachineHints(metadata: unknown): ClassifierHints {
  if (!isJsonObject(metadata)) return {};
  const { labels, packageName } = metadata;
  const isImages = packageName === '@teachablemachine/image';
  return { ...(isTexts(labels) && { labels }), ...(isImages && { preprocess: middleSquare }) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string');
}

/** Whether a value may be a spec; its fields are checked on use. */
function isSpec(value: unknown): value is PreprocessorSpec {
  return isJsonObject(value) && typeof value.kind === 'string';
}
