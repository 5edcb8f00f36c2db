// Augmentation layers, which change pictures at random in training and do nothing afterwards. A base leaves them out.
import { isJsonList, isJsonObject, textOf, type JsonObject } from '../../core/json.ts';

/** Classes of Keras 2 and 3 that return their input unchanged outside training. */
const idle: ReadonlySet<string> = new Set([
  'AugMix',
  'CutMix',
  'MixUp',
  'RandAugment',
  'RandomBrightness',
  'RandomColorDegeneration',
  'RandomColorJitter',
  'RandomContrast',
  'RandomElasticTransform',
  'RandomErasing',
  'RandomFlip',
  'RandomGaussianBlur',
  'RandomGrayscale',
  'RandomHeight',
  'RandomHue',
  'RandomInvert',
  'RandomPerspective',
  'RandomPosterization',
  'RandomRotation',
  'RandomSaturation',
  'RandomSharpness',
  'RandomShear',
  'RandomTranslation',
  'RandomWidth',
  'RandomZoom',
]);

/**
 * Whether a layer does nothing outside training. For a RandomCrop this holds only if the picture already has its size.
 */
export function isAugmentation(layer: JsonObject): boolean {
  const className = textOf(layer.class_name);
  if (idle.has(className)) return true;
  if (className !== 'RandomCrop') return false;
  const { height, width } = isJsonObject(layer.config) ? layer.config : {};
  const shape = inputShape(layer);
  return shape !== undefined && shape[1] === height && shape[2] === width;
}

/** The note for the reader of the model. */
export function augmentationNote(name: string, className: string): string {
  return `left out '${name}' (${className}): it changes pictures in training only`;
}

/** Keras 3 writes the input shape that a layer was built for. */
function inputShape(layer: JsonObject): unknown[] | undefined {
  const { input_shape: shape } = isJsonObject(layer.build_config) ? layer.build_config : {};
  return isJsonList(shape) ? shape : undefined;
}
