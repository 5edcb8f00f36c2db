// Layers that join tensors as nodes.
import { numberOf } from '../graphs/inferShapes.ts';
import type { LayerSite, WriteLayer } from './layerSite.ts';
import { integer } from '../graphs/nodeDraft.ts';

/** By the class of the layer. */
export const joiningWriters: Readonly<Record<string, WriteLayer>> = {
  Add: (site) => inTurn(site, 'AddV2'),
  Average: (site) => {
    const sum = inTurn(site, 'AddV2');
    return sum && site.scope.node('Mul', [sum, site.scope.number(1 / site.inputs.length)]);
  },
  Maximum: (site) => inTurn(site, 'Maximum'),
  Minimum: (site) => inTurn(site, 'Minimum'),
  Multiply: (site) => inTurn(site, 'Mul'),
  Concatenate: ({ layer, inputs, scope }) => {
    const axis = scope.integers([numberOf(layer.config.axis) ?? -1], []);
    return scope.node('ConcatV2', [...inputs, axis], { Tidx: integer, N: { i: String(inputs.length) } });
  },
  // `first + second * scale`
  CustomScaleLayer: ({ layer, inputs: [first, second], scope }) => {
    if (first === undefined || second === undefined) return undefined;
    const scaled = scope.node('Mul', [second, scope.number(numberOf(layer.config.scale) ?? 1)]);
    return scope.node('AddV2', [first, scaled]);
  },
};

/** Concatenates the inputs. tfjs's layers align tensors of unequal rank by their own rule. */
function inTurn({ inputs, inputShapes, scope }: LayerSite, op: string): string | undefined {
  const [first, ...others] = inputs;
  if (first === undefined || inputShapes.some(({ length }) => length !== inputShapes[0]?.length)) return undefined;
  return others.reduce((joined, input) => scope.node(op, [joined, input]), first);
}
