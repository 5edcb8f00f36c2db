// One call of a layer, as needed to write it as nodes.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { Shape } from '../../core/types.ts';
import type { NodeScope } from '../graphs/nodeDraft.ts';

/** A weight of a layer by its own name. Undefined if the layer does not have it. */
export type WeightOf = (name: string) => Tensor | undefined;

/** A call of a layer. Shapes include the batch axis. */
export interface LayerSite {
  readonly layer: LayerSpec;
  readonly weight: WeightOf;
  /** The nodes of the inputs. */
  readonly inputs: readonly string[];
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
  readonly scope: NodeScope;
}

/**
 * Writes a call as nodes, and returns the node of its output. Undefined if the call cannot be written; then nothing is
 * written.
 */
export type WriteLayer = (site: LayerSite) => string | undefined;

/** The only input node of a layer, with its shape. */
export function onlyInput({ layer, inputs, inputShapes }: LayerSite): { readonly x: string; readonly shape: Shape } {
  const [x] = inputs;
  const [shape] = inputShapes;
  if (x === undefined || shape === undefined) throw internalError(`${layer.name} reads nothing`);
  return { x, shape };
}

/** A weight that the layer must have. */
export function weightOf({ layer, weight }: Pick<LayerSite, 'layer' | 'weight'>, name: string): Tensor {
  const found = weight(name);
  if (found === undefined) throw internalError(`${layer.name} has no ${name}`);
  return found;
}

/** The axes of a shape if all but the batch axis are fixed. */
export function fixedAxes(shape: Shape): number[] | undefined {
  const axes = shape.slice(1).filter((axis) => axis !== null);
  return axes.length === shape.length - 1 ? axes : undefined;
}
