// Chooses weights by the ways in which people name layers.
import { TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import type { Trunk, TrunkWeight } from '../core/types.ts';

/**
 * Which layers are meant:
 * - a name: the layer of that name, else all layers whose names begin with it and a separator (`block_14` means
 *   `block_14_expand`, `block_14/conv` …),
 * - a RegExp or a function on layer names,
 * - `{ from }`: that layer and all behind it, in the order in which they run,
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
 * The weights of a trunk's chosen layers, in the trunk's order.
 *
 * @param verb - For messages.
 * @throws TransferKitError `UNKNOWN_LAYER` with the nearest names when nothing is meant, `INVALID_OPTION`.
 */
export function selectWeights(verb: string, trunk: Trunk, selection: LayerSelection): TrunkWeight[] {
  const names = trunk.stages.flatMap((stage) => stage.layers);
  const chosen = selectLayers(verb, trunk, names, selection);
  return trunk.weights.filter((weight) => chosen.has(weight.layer));
}

function selectLayers(verb: string, trunk: Trunk, names: readonly string[], selection: LayerSelection): Set<string> {
  if (typeof selection === 'string') return byName(verb, names, selection);
  if (selection instanceof RegExp)
    return byTest(verb, names, (name) => new RegExp(selection).test(name), String(selection));
  if (typeof selection === 'function') return byTest(verb, names, selection, 'the given function');
  if (isList(selection)) return new Set(selection.flatMap((each) => [...selectLayers(verb, trunk, names, each)]));
  if ('from' in selection) {
    const start = names.findIndex((name) => byName(verb, names, selection.from).has(name));
    return new Set(names.slice(start));
  }
  return lastStages(verb, trunk, selection.lastStages);
}

function byName(verb: string, names: readonly string[], wanted: string): Set<string> {
  if (names.includes(wanted)) return new Set([wanted]);
  const found = names.filter((name) => name.startsWith(wanted) && /^[_/.-]/.test(name.slice(wanted.length)));
  if (wanted !== '' && found.length > 0) return new Set(found);
  const nearest = nearestNames(wanted, names);
  throw new TransferKitError(
    'UNKNOWN_LAYER',
    `${verb}: expected the name or the beginning of the name of a layer, got '${wanted}'. Nearest: ${nearest.join(', ')}.`,
    { layer: wanted, nearest },
  );
}

function byTest(verb: string, names: readonly string[], test: (name: string) => boolean, shown: string): Set<string> {
  const found = names.filter((name) => test(name));
  if (found.length > 0) return new Set(found);
  const some = names.slice(0, 10).join(', ');
  throw new TransferKitError(
    'UNKNOWN_LAYER',
    `${verb}: expected ${shown} to match layers, it matches none of ${String(names.length)}: ${some}, …`,
    { known: names },
  );
}

function lastStages(verb: string, trunk: Trunk, count: number): Set<string> {
  if (Number.isInteger(count) && count >= 1 && count <= trunk.stages.length) {
    return new Set(trunk.stages.slice(-count).flatMap((stage) => stage.layers));
  }
  throw new TransferKitError(
    'INVALID_OPTION',
    `${verb}: expected lastStages from 1 to ${String(trunk.stages.length)}, got ${String(count)}.`,
    { lastStages: count, stages: trunk.stages.length },
  );
}

function isList(selection: LayerSelection): selection is readonly LayerSelection[] {
  return Array.isArray(selection);
}
