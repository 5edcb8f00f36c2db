// The weights of an ONNX graph in fewer bytes: halves, or whole numbers with a scale for each output channel. Nodes make
// single precision of them again, which runtimes do once when they load the model.
import { encodeHalf, largestHalf } from '../core/float16.ts';
import { assertNumbers } from '../networks/write/packWeights.ts';
import type { OnnxConstant, OnnxGraph, OnnxNode } from '../networks/onnx/onnxModel.ts';

/** A constant in another type, and the node that gives it back under its name. */
interface Stored {
  readonly constants: readonly OnnxConstant[];
  readonly node: OnnxNode;
}

/**
 * Stores all floats but single numbers in half precision.
 *
 * @throws TransferKitError `OUT_OF_RANGE` for a number that half precision does not hold.
 */
export function inHalves(graph: OnnxGraph): OnnxGraph {
  return stored(graph, (constant) => {
    const { name, type, shape } = constant;
    const values = floatsOf(constant);
    if (type !== 'float32' || values.length < 2) return undefined;
    assertNumbers(name, values, largestHalf);
    const halves = new Uint16Array(values.length);
    encodeHalf(values, halves);
    const half: OnnxConstant = { name: `${name}/half`, type: 'float16', shape, bytes: bytesOf(halves) };
    const node = { name, op: 'Cast', inputs: [half.name], outputs: [name], attributes: { to: { int: 1 } } };
    return { constants: [half], node };
  });
}

/**
 * Stores kernels as whole numbers.
 *
 * @param scales - Of the output channels of each kernel, whose values are multiples of them.
 */
export function inBytes(graph: OnnxGraph, scales: ReadonlyMap<string, Float32Array>): OnnxGraph {
  const axes = outputAxes(graph);
  return stored(graph, (constant) => {
    const { name, shape } = constant;
    const [scale, axis] = [scales.get(name), axes.get(name)];
    if (scale === undefined || axis === undefined) return undefined;
    const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const whole = Int8Array.from(floatsOf(constant), (value, at) =>
      Math.round(value / (scale[Math.floor(at / inner) % scale.length] ?? 1)),
    );
    const bytes: OnnxConstant = { name: `${name}/whole`, type: 'int8', shape, bytes: bytesOf(whole) };
    const steps: OnnxConstant = {
      name: `${name}/scale`,
      type: 'float32',
      shape: [scale.length],
      bytes: bytesOf(scale),
    };
    const inputs = [bytes.name, steps.name];
    const attributes = { axis: { int: axis } };
    return { constants: [bytes, steps], node: { name, op: 'DequantizeLinear', inputs, outputs: [name], attributes } };
  });
}

/** The axis of the output channels of each kernel, by the operations that read them. */
function outputAxes({ nodes }: OnnxGraph): ReadonlyMap<string, number> {
  const axes = nodes.flatMap(({ op, inputs, attributes }): [string, number][] => {
    const [, kernel = ''] = inputs;
    const { transB } = attributes;
    if (op === 'Conv') return [[kernel, 0]];
    if (op === 'MatMul') return [[kernel, 1]];
    return op === 'Gemm' ? [[kernel, transB !== undefined && 'int' in transB && transB.int === 1 ? 0 : 1]] : [];
  });
  return new Map(axes);
}

function stored(graph: OnnxGraph, store: (constant: OnnxConstant) => Stored | undefined): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const constants = graph.constants.flatMap((constant) => {
    const found = store(constant);
    if (found !== undefined) nodes.push(found.node);
    return found?.constants ?? [constant];
  });
  return { ...graph, constants, nodes: [...nodes, ...graph.nodes] };
}

function floatsOf({ type, bytes }: OnnxConstant): Float32Array {
  // Bytes that begin at an address that is no multiple of four are copied.
  return type === 'float32' ? new Float32Array(bytes.slice().buffer) : new Float32Array();
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
