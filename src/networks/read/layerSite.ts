// One call of a layer, as those see it who write it as nodes.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerSpec } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { Shape } from '../../core/types.ts';
import type { NodeScope } from '../fold/nodeDraft.ts';

/** A weight of a layer by its name in it; undefined for one that the layer does not have. */
export type WeightOf = (name: string) => Tensor | undefined;

/** A call of a layer. Shapes count the batch axis. */
export interface LayerSite {
  readonly layer: LayerSpec;
  readonly weight: WeightOf;
  /** Nodes that the layer reads. */
  readonly inputs: readonly string[];
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
  readonly scope: NodeScope;
}

/** Writes a call and returns the node of its output; undefined, with nothing written, for what has no form as nodes. */
export type WriteLayer = (site: LayerSite) => string | undefined;

/** The only node that a layer reads, and its shape. */
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

/** The axes of a shape when all but the batch axis are fixed. */
export function fixedAxes(shape: Shape): number[] | undefined {
  const axes = shape.slice(1).filter((axis) => axis !== null);
  return axes.length === shape.length - 1 ? axes : undefined;
}
