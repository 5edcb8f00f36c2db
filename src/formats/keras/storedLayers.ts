// The content of a Keras file, independent of its layout: layers with their weights.

/** A weight in a file. */
export interface StoredWeight {
  /** Its path in the file, for error texts. */
  readonly location: string;
  /**
   * Its name in its layer as in Keras 2 and tfjs (`kernel`, `moving_variance`); undefined where only the order is
   * known.
   */
  readonly own: string | undefined;
  readonly shape: readonly number[];
  read(): Float32Array;
}

/** A layer with weights in a file, or a part of one (a cell, a direction). */
export interface StoredLayer {
  /** The group in a legacy file: the name of a layer of the outermost model. Empty in files of Keras 3. */
  readonly group: string;
  /** Names of the outer models and of the layer, joined by slashes; a layer's name may contain slashes. */
  readonly path: string;
  /** Class in snake case and number, where the file has them (`conv2d_1`). */
  readonly kind: string | undefined;
  readonly weights: readonly StoredWeight[];
}
