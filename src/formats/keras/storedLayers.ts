// What a Keras file holds: layers with their weights, whatever layout the file has.

/** A weight in a file. */
export interface StoredWeight {
  /** Where it lies in the file, for messages. */
  readonly location: string;
  /** Its name in its layer as Keras 2 and tfjs have it (`kernel`, `moving_variance`); undefined where only order tells. */
  readonly own: string | undefined;
  readonly shape: readonly number[];
  read(): Float32Array;
}

/** A weighted layer in a file, or a part of one (a cell, a direction). */
export interface StoredLayer {
  /** The group of a legacy file: the name of a layer of the outermost model. Empty in files of Keras 3. */
  readonly group: string;
  /** Names that lead to the layer, joined by slashes; a layer's name may have slashes of its own. */
  readonly path: string;
  /** Class in snake case and number, where the file has them (`conv2d_1`). */
  readonly kind: string | undefined;
  readonly weights: readonly StoredWeight[];
}
