// Reads kernels that were stored as whole numbers and the scales of their channels (networks/write/quantizeNodes): each
// becomes one weight again, which can train.
import { mul, tidy } from '@tensorflow/tfjs-core';
import type { NodeGraph } from '../../core/graphs.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../../core/weightSource.ts';
import { scaledName, scaleName } from '../write/quantizeNodes.ts';

/** A graph, and the constants of its nodes. */
export interface NodesWithConstants {
  readonly graph: NodeGraph;
  readonly constants: WeightSource;
}

/** Puts a kernel in place of every product of a stored kernel and its scales. */
export function withScaledKernels({ graph, constants }: NodesWithConstants): NodesWithConstants {
  const kernels = new Set(
    graph.nodes.flatMap(({ name, op, inputs: [kernel = '', scale] }) =>
      op === 'Mul' && name === scaledName(kernel) && scale === scaleName(kernel) ? [kernel] : [],
    ),
  );
  if (kernels.size === 0) return { graph, constants };
  const dropped = new Set([...kernels].flatMap((name) => [scaleName(name), scaledName(name)]));
  const joined = new Map([...kernels].map((name) => [scaledName(name), name]));
  const nodes = graph.nodes
    .filter(({ name }) => !dropped.has(name))
    .map((node) => ({ ...node, inputs: node.inputs.map((name) => joined.get(name) ?? name) }));
  const names = constants.names.filter((name) => !dropped.has(name));
  const entries = names.map((name): [string, WeightEntry] => {
    const shape = constants.shapeOf(name) ?? [];
    const read = () => constants.read(name);
    const product = () => tidy(() => mul(read(), constants.read(scaleName(name))));
    return [name, { shape, read: kernels.has(name) ? product : read }];
  });
  return { graph: { ...graph, nodes }, constants: sourceOf(new Map(entries)) };
}
