// The interface of a preset: a published architecture as data, its preprocessing, and its weight files.
import type { LayerGraph } from '../core/graphs.ts';
import type { ImageMode } from '../model/model.ts';

/** Options of a preset's architecture. */
export interface ArchitectureOptions {
  /** Height and width of the input, in pixels. */
  readonly inputSize: readonly [number, number];
  /** Whether the ImageNet classifier (1000 classes) is included. */
  readonly top: boolean;
  /** Width multiplier, for families that have one. */
  readonly alpha: number;
  /**
   * Whether the published ImageNet weights are used: EfficientNet has an additional scaling for them. Default `false`.
   */
  readonly imagenet?: boolean;
}

/** A published weight file. */
export interface PublishedWeights {
  readonly address: string;
  /** Hexadecimal hash of the file, if its publisher gives one. */
  readonly hash?: { readonly algorithm: 'md5' | 'sha256'; readonly digest: string };
}

/** A published architecture with pretrained weights. */
export interface Preset {
  /** Name for `loadBase`: `'resnet50'`. */
  readonly name: string;
  /** Constructor in keras.applications: `'ResNet50'`. */
  readonly kerasName: string;
  /** Height and width that the weights were trained on, in pixels. */
  readonly inputSize: number;
  /** Smallest height and width that keras.applications allows, in pixels. */
  readonly smallestInputSize: number;
  /** How pixels 0..255 are scaled before the first layer. */
  readonly mode: ImageMode;
  /** Width multipliers with published weights; [1] for families without them. */
  readonly alphas: readonly number[];
  /** Writes the architecture. Layer names and their order are those of Keras 3. */
  architecture(options: ArchitectureOptions): LayerGraph;
  /** The matching ImageNet weights, if they are published. */
  weights(options: ArchitectureOptions): PublishedWeights | undefined;
}
