// Prints a base as a table: its layers by stages, with kinds, shapes and numbers of parameters.
import { describeShape, sizeOf } from '../core/shapes.ts';
import type { Base } from '../model/model.ts';
import type { TrunkWeight } from '../core/types.ts';

const titles = ['stage', 'layer', 'kind', 'output shape', 'parameters'];

/** The text of `base.summary()`. */
export function summarise({ name, trunk, cut }: Pick<Base, 'name' | 'trunk' | 'cut'>): string {
  const { input, output, stages, weights, fixed } = trunk;
  const held = parametersByPlace(weights);
  const rows = stages.flatMap((stage, index) =>
    stage.layers.map((layer) => {
      const { kind, shape } = trunk.describeLayer?.(layer) ?? { kind: '' };
      const known = layer === stage.name ? stage.output.shape : shape;
      const parameters = held.get(placeOf({ stage: index, layer })) ?? 0;
      return [String(index), layer, kind, known === undefined ? '' : describeShape(known), counted(parameters)];
    }),
  );
  const trainable = parametersOf(weights.filter(({ frozen, kind }) => !frozen && kind !== 'statistics'));
  const total = parametersOf(weights);
  const constants = fixed.length === 0 ? '' : ` Constants that never train: ${counted(fixed.length)}.`;
  return [
    `${name}: input ${describeShape(input.shape)} ${input.dtype}, ${counted(rows.length)} ${trunk.unit ?? 'layers'} in ${counted(stages.length)} stages`,
    '',
    ...table([titles, ...rows]),
    '',
    `Parameters: ${counted(total)}; trainable ${counted(trainable)}, frozen ${counted(total - trainable)}.${constants}`,
    `Cut: features are taken from '${cut}', ${describeShape(output.shape)}.`,
  ].join('\n');
}

type Place = Pick<TrunkWeight, 'stage' | 'layer'>;

function placeOf({ stage, layer }: Place): string {
  return `${String(stage)} ${layer}`;
}

/** Number of values in the weights of each layer. A layer that is called in several stages is counted in the first. */
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

/** Columns of equal width. The last one holds numbers and is aligned to the right. */
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
