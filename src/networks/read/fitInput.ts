// Checks whether the layers of a network accept another input size, from shapes alone. tfjs detects most errors only at
// run time, if at all.
import type { LayerGraph } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { describeShape } from '../../core/shapes.ts';
import { inputShapeOf, layerOf } from '../graphs/layerGraph.ts';
import type { LayerSource } from '../run/layerWeights.ts';

type FixedShape = readonly number[];

/**
 * Raises if a layer would have no pixels left, or reshapes to a size of the saved input.
 *
 * @param graph - With the new input shape.
 * @param inputSize - Height and width that the user chose.
 * @throws TransferKitError `INVALID_OPTION` with the layer.
 */
export function assertFitting(graph: LayerGraph, source: LayerSource, inputSize: readonly [number, number]): void {
  const input = inputShapeOf(graph).filter((axis) => axis !== null);
  if (input.length !== inputShapeOf(graph).length) return;
  const shapes: FixedShape[][] = [];
  graph.calls.forEach((call, index) => {
    const { name } = layerOf(graph, index);
    const inputs = call.inputs.map((ref) => [...(shapes[ref.call]?.[ref.output] ?? [])]);
    // A Reshape is only checked without free axes, so the batch axis is 1.
    const outputs = inputs.length === 0 ? [[1, ...input]] : outputShapes(source, name, inputs, inputSize);
    const empty = outputs.find((shape) => shape.some((axis) => axis <= 0));
    if (empty !== undefined) throw tooSmall(name, empty, inputSize);
    shapes.push(outputs);
  });
}

function outputShapes(
  source: LayerSource,
  name: string,
  inputs: readonly number[][],
  inputSize: readonly [number, number],
): FixedShape[] {
  const [first = []] = inputs;
  try {
    const shapes = source.layers.get(name)?.computeOutputShape(inputs.length === 1 ? first : [...inputs]) ?? [];
    return asList(shapes).map((shape) => shape.map((axis) => axis ?? 1));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw otherSize(
      `layer '${name}' of shape ${inputs.map((shape) => perExample(shape)).join(', ')}`,
      inputSize,
      reason,
    );
  }
}

/**
 * The error for a size that the network does not accept.
 *
 * @param what - The part and the shape that it does not accept.
 */
export function otherSize(what: string, [height, width]: readonly [number, number], reason: string): TransferKitError {
  return new TransferKitError(
    'INVALID_OPTION',
    `expected an inputSize that the network can take, got [${String(height)}, ${String(width)}], with which ` +
      `${what} cannot be built: ${reason} Give another inputSize, or cut before that layer.`,
    { inputSize: [height, width], reason },
  );
}

function tooSmall(layer: string, shape: FixedShape, [height, width]: readonly [number, number]): TransferKitError {
  return new TransferKitError(
    'INVALID_OPTION',
    `expected an inputSize that is large enough for the network, got [${String(height)}, ${String(width)}], ` +
      `with which layer '${layer}' would give ${perExample(shape)}. Give a larger inputSize, or cut before that layer.`,
    { inputSize: [height, width], layer, shape },
  );
}

/** Without the batch axis. */
function perExample(shape: FixedShape): string {
  return describeShape(shape.slice(1));
}

function asList(shapes: readonly (number | null)[] | readonly (readonly (number | null)[])[]): (number | null)[][] {
  return isNested(shapes) ? shapes.map((shape) => [...shape]) : [[...shapes]];
}

function isNested(
  shapes: readonly (number | null)[] | readonly (readonly (number | null)[])[],
): shapes is readonly (readonly (number | null)[])[] {
  return Array.isArray(shapes[0]);
}
