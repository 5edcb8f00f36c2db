// Networks as plain data: layers of a LayersModel that call each other, and nodes of a GraphModel. Types only.
import type { JsonObject } from './json.ts';

/** A layer as its configuration describes it. */
export interface LayerSpec {
  /** Unique in the graph. */
  readonly name: string;
  readonly className: string;
  /** Keras configuration, snake_case keys. */
  readonly config: JsonObject;
  /** Names that lead to the layer in the model it came from: nested models first. */
  readonly path: readonly string[];
}

/** One output of one call. */
export interface TensorRef {
  /** Index into `calls`. */
  readonly call: number;
  readonly output: number;
}

/** One use of a layer. A layer with several calls shares its weights among them. */
export interface LayerCall {
  readonly layer: string;
  /** Empty for the input layer. */
  readonly inputs: readonly TensorRef[];
  readonly kwargs: JsonObject;
}

/** A network with one input. The first call is its InputLayer; every call comes after those it reads from. */
export interface LayerGraph {
  readonly name: string;
  readonly layers: ReadonlyMap<string, LayerSpec>;
  readonly calls: readonly LayerCall[];
  readonly outputs: readonly TensorRef[];
  /** What was left out when the graph was read, for whoever asks. */
  readonly notes?: readonly string[];
}

/** One operation. */
export interface NodeSpec {
  readonly name: string;
  readonly op: string;
  /** Names of the nodes it reads, `name` or `name:output`; control inputs (`^name`) are left out. */
  readonly inputs: readonly string[];
  /** As the file has them: shapes, strides, types. */
  readonly attr: JsonObject;
}

/** A graph of operations with one input; every node comes after those it reads. */
export interface NodeGraph {
  readonly name: string;
  readonly nodes: readonly NodeSpec[];
  /** The only Placeholder. */
  readonly input: string;
  /** Nodes that nothing reads. */
  readonly outputs: readonly string[];
  /** Functions that nodes call, and versions: kept as they are. */
  readonly rest: JsonObject;
}
