// A base as a table: its layers by stages, and what they hold.
import { describeShape, sizeOf } from '../core/shapes.ts';
import type { Base } from '../model/model.ts';
import type { Trunk, TrunkWeight } from '../core/types.ts';
import { isGraphTrunk } from '../networks/run/graphTrunk.ts';
import { lastCallOf } from '../networks/read/layerGraph.ts';
import { isLayersTrunk } from '../networks/run/layersTrunk.ts';
import { nodesByName } from '../networks/read/nodeGraph.ts';

/** What a trunk's own format knows of one layer. */
interface LayerFacts {
  readonly kind: string;
  /** '' where it was not measured. */
  readonly shape: string;
}

const titles = ['stage', 'layer', 'kind', 'output shape', 'parameters'];

/** The text of `base.summary()`. */
export function summarise({ name, trunk, cut }: Pick<Base, 'name' | 'trunk' | 'cut'>): string {
  const { input, output, stages, weights, fixed } = trunk;
  const factsOf = layerFacts(trunk);
  const held = parametersByPlace(weights);
  const rows = stages.flatMap((stage, index) =>
    stage.layers.map((layer) => {
      const { kind, shape } = factsOf(layer);
      const end = layer === stage.name ? describeShape(stage.output.shape) : '';
      const parameters = held.get(placeOf({ stage: index, layer })) ?? 0;
      return [String(index), layer, kind, end || shape, counted(parameters)];
    }),
  );
  const trainable = parametersOf(weights.filter(({ frozen, kind }) => !frozen && kind !== 'statistics'));
  const total = parametersOf(weights);
  const constants = fixed.length === 0 ? '' : ` Constants that never train: ${counted(fixed.length)}.`;
  return [
    `${name}: input ${describeShape(input.shape)} ${input.dtype}, ${counted(rows.length)} ${trunk.format === 'graph' ? 'nodes' : 'layers'} in ${counted(stages.length)} stages`,
    '',
    ...table([titles, ...rows]),
    '',
    `Parameters: ${counted(total)}; trainable ${counted(trainable)}, frozen ${counted(total - trainable)}.${constants}`,
    `Cut: features are taken from '${cut}', ${describeShape(output.shape)}.`,
  ].join('\n');
}

/** Kinds and shapes as the trunk's format has them; a trunk of another make has neither. */
function layerFacts(trunk: Trunk): (layer: string) => LayerFacts {
  if (isLayersTrunk(trunk)) {
    const { graph, shapes } = trunk;
    return (layer) => {
      const shape = shapes[lastCallOf(graph, layer)];
      return { kind: graph.layers.get(layer)?.className ?? '', shape: shape ? describeShape(shape) : '' };
    };
  }
  if (!isGraphTrunk(trunk)) return () => ({ kind: '', shape: '' });
  const nodes = nodesByName(trunk.nodes.nodes);
  return (name) => {
    const shape = trunk.shapes.get(name);
    return { kind: nodes.get(name)?.op ?? '', shape: shape ? describeShape(shape) : '' };
  };
}

type Place = Pick<TrunkWeight, 'stage' | 'layer'>;

function placeOf({ stage, layer }: Place): string {
  return `${String(stage)} ${layer}`;
}

/** Numbers in the weights of each layer. A layer that is called in several stages holds them in the first. */
function parametersByPlace(weights: readonly TrunkWeight[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const weight of weights) {
    const place = placeOf(weight);
    found.set(place, (found.get(place) ?? 0) + sizeOf(weight.shape));
  }
  return found;
}

function parametersOf(weights: readonly TrunkWeight[]): number {
  return weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function counted(count: number): string {
  return count.toLocaleString('en-US');
}

/** Columns of equal width; the last one, of numbers, to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = titles.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === titles.length - 1 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  '),
  );
}
