// Selects weights by the names of layers or by stages.
import { TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import { isObject } from '../core/optionChecks.ts';
import { assertOptions } from '../core/optionNames.ts';
import type { Trunk, TrunkWeight } from '../core/types.ts';
import { shown } from '../core/shown.ts';

/**
 * A selection of layers:
 * - a name: the layer with that name, otherwise all layers whose names begin with it and a separator (`block_14` means
 * `block_14_expand`, `block_14/conv` …),
 * - a RegExp or a function on layer names,
 * - `{ from }`: that layer and all after it, in the order in which they run,
 * - `{ lastStages: n }`: the last n stages of the base,
 * - a list of these.
 */
export type LayerSelection =
  | string
  | RegExp
  | ((layer: string) => boolean)
  | { readonly from: string }
  | { readonly lastStages: number }
  | readonly LayerSelection[];

/**
 * The weights of the selected layers of a trunk, in the trunk's order.
 *
 * @param elsewhere - Layers of another trunk, which error texts suggest too.
 * @throws TransferKitError `UNKNOWN_LAYER` with the nearest names if no layer is selected, `INVALID_OPTION`.
 */
export function selectWeights(
  trunk: Trunk,
  selection: LayerSelection,
  elsewhere: readonly string[] = [],
): TrunkWeight[] {
  const chosen = selectLayers({ trunk, names: layerNames(trunk), elsewhere }, selection);
  return trunk.weights.filter((weight) => chosen.has(weight.layer));
}

/** Names of a trunk's layers, in the order in which they run. */
export function layerNames(trunk: Trunk): string[] {
  return trunk.stages.flatMap((stage) => stage.layers);
}

/** Whether a selection is a list of selections. */
export function isList(selection: LayerSelection): selection is readonly LayerSelection[] {
  return Array.isArray(selection);
}

interface Place {
  readonly trunk: Trunk;
  readonly names: readonly string[];
  readonly elsewhere: readonly string[];
}

function selectLayers(place: Place, selection: LayerSelection): Set<string> {
  const { names } = place;
  if (typeof selection === 'string') return byName(place, selection);
  if (selection instanceof RegExp) return byTest(place, (name) => new RegExp(selection).test(name), String(selection));
  if (typeof selection === 'function') return byTest(place, selection, 'the given function');
  if (isList(selection)) return new Set(selection.flatMap((each) => [...selectLayers(place, each)]));
  const { from, lastStages: count } = placesOf(selection);
  if (from !== undefined && count === undefined) {
    const first = byName(place, from);
    return new Set(names.slice(names.findIndex((name) => first.has(name))));
  }
  if (count !== undefined && from === undefined) return lastStages(place, count);
  const text = `expected a name, RegExp, function, { from }, { lastStages } or a list of these, got ${shown(selection)}.`;
  throw new TransferKitError('INVALID_OPTION', text, { selection });
}

/** The fields of a selection object. Callers without TypeScript may pass any value, which has no fields. */
function placesOf(selection: { readonly from: string } | { readonly lastStages: number }): {
  readonly from?: string;
  readonly lastStages?: number;
} {
  const given: unknown = selection;
  if (!isObject(given)) return {};
  assertOptions(selection, { from: true, lastStages: true });
  return selection;
}

function byName({ names, elsewhere }: Place, wanted: string): Set<string> {
  if (names.includes(wanted)) return new Set([wanted]);
  const found = names.filter((name) => name.startsWith(wanted) && /^[_/.-]/.test(name.slice(wanted.length)));
  if (wanted !== '' && found.length > 0) return new Set(found);
  const nearest = nearestNames(wanted, [...names, ...elsewhere]);
  throw new TransferKitError(
    'UNKNOWN_LAYER',
    `expected the name or the beginning of the name of a layer, got '${wanted}'. Nearest: ${nearest.join(', ')}.`,
    { layer: wanted, nearest },
  );
}

function byTest({ names }: Place, test: (name: string) => boolean, shown: string): Set<string> {
  const found = names.filter((name) => test(name));
  if (found.length > 0) return new Set(found);
  const some = names.slice(0, 10).join(', ');
  throw new TransferKitError(
    'UNKNOWN_LAYER',
    `expected ${shown} to match layers, it matches none of ${String(names.length)}: ${some}, …`,
    { known: names },
  );
}

function lastStages({ trunk }: Place, count: number): Set<string> {
  if (Number.isInteger(count) && count >= 1 && count <= trunk.stages.length) {
    return new Set(trunk.stages.slice(-count).flatMap((stage) => stage.layers));
  }
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected lastStages from 1 to ${String(trunk.stages.length)}, got ${String(count)}.`,
    { lastStages: count, stages: trunk.stages.length },
  );
}
