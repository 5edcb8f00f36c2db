// The parts of ONNX Runtime that are used, as its npm packages have them. Types only.

/** Values of a tensor. */
export type OnnxValues = Float32Array | Int32Array | Uint8Array;

/** A tensor of ONNX Runtime. */
export interface OnnxTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
  dispose(): void;
}

/** A loaded model. */
export interface OnnxSession {
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

/** The package. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: 'float32' | 'int32' | 'bool', data: OnnxValues, dims: readonly number[]) => OnnxTensor;
}
