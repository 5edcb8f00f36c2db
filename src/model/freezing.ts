// Sets which weights training may move, and reports it.
import { isTransferKitError, TransferKitError } from '../core/errors.ts';
import { sizeOf } from '../core/shapes.ts';
import type { AnyModel } from './model.ts';
import { normWeights } from './normWeights.ts';
import { assertOwned } from './owners.ts';
import type { FixedConstant, Trunk, TrunkWeight } from '../core/types.ts';
import { shown } from '../core/shown.ts';
import { isList, layerNames, selectWeights, type LayerSelection } from './selectWeights.ts';

/**
 * What to freeze or unfreeze: `'base'`, `'head'`, `'all'` (both), `'norms'`, layers of base or head by name, pattern or
 * position, or a list of these.
 *
 * `'norms'` are the scales and offsets (gamma and beta) of all normalisations of the base: BatchNorm, LayerNorm,
 * GroupNorm. Their statistics are not among them. A few thousand weights follow new pictures, and too few examples cannot
 * spoil the kernels: Frankle, Schwab and Morcos, "Training BatchNorm and Only BatchNorm", 2021. In a GraphModel only
 * `FusedBatchNorm` nodes count. A base without such weights (VGG, graphs whose norms are folded into kernels) is refused.
 */
export type FreezeSelection = LayerSelection;

/** Which layers are frozen, and the numbers of their parameters. */
export interface FreezeReport {
  readonly layers: readonly {
    readonly name: string;
    readonly part: 'base' | 'head';
    readonly state: 'frozen' | 'trainable' | 'mixed';
    /** Number of parameters of the layer. */
    readonly parameters: number;
  }[];
  /** Number of parameters that training may change. BatchNorm statistics are not counted: they have no gradient. */
  readonly trainableParameters: number;
  readonly frozenParameters: number;
  /** Constants of a GraphModel that cannot be unfrozen, and why. */
  readonly fixed: readonly FixedConstant[];
  /** Number of weights whose state this call changed. */
  readonly changed: number;
  /** The report in one sentence. */
  readonly summary: string;
}

/** Does the work of `unfreeze` for a verb that already holds the model. */
export function unfreezeNow(model: AnyModel, which: FreezeSelection): FreezeReport {
  return setFrozen(model, which, false);
}

/**
 * Freezes or unfreezes layers.
 *
 * @throws TransferKitError `UNKNOWN_LAYER`, `INVALID_OPTION`, `BASE_SHARED`.
 */
export function setFrozen(model: AnyModel, which: FreezeSelection, frozen: boolean): FreezeReport {
  const meant = choose(model, which);
  if (meant.length === 0 && !mayBeEmpty(which)) throw withoutWeights(which);
  const chosen = meant.filter((weight) => weight.frozen !== frozen);
  if (!frozen) assertOwned(model, chosen);
  for (const weight of chosen) weight.frozen = frozen;
  return report(model, chosen.length);
}

/** Whether a selection may match no weights: a list may be empty, and a base may have no weights. */
function mayBeEmpty(which: FreezeSelection): boolean {
  return which === 'base' || which === 'all' || (typeof which === 'object' && isList(which) && which.length === 0);
}

/** The error for a selection without weights: it has no effect, so it must be a mistake. */
function withoutWeights(which: FreezeSelection): TransferKitError {
  const got = typeof which === 'function' || which instanceof RegExp ? String(which) : shown(which);
  const text = `expected layers that hold weights, got ${got}, which means none. Name the layer before or after them.`;
  return new TransferKitError('INVALID_OPTION', text, { selection: which });
}

function choose(model: AnyModel, which: FreezeSelection): readonly TrunkWeight[] {
  const { base, head } = model;
  if (which === 'base') return base.trunk.weights;
  if (which === 'head') return head.trunk.weights;
  if (which === 'all') return [...base.trunk.weights, ...head.trunk.weights];
  if (which === 'norms') return normWeights(base);
  if (isList(which)) return [...new Set(which.flatMap((each) => choose(model, each)))];
  // A selection may name layers of the head; the head is searched only if the base has no such layer.
  try {
    return selectWeights(base.trunk, which, layerNames(head.trunk));
  } catch (error) {
    if (!isTransferKitError(error, 'UNKNOWN_LAYER')) throw error;
    return inHead(head.trunk, which, error);
  }
}

function inHead(head: Trunk, which: LayerSelection, baseError: unknown): readonly TrunkWeight[] {
  try {
    return selectWeights(head, which);
  } catch {
    throw baseError;
  }
}

function report({ base, head }: AnyModel, changed: number): FreezeReport {
  const layers = [...layerStates(base.trunk, 'base'), ...layerStates(head.trunk, 'head')];
  const weights = [...base.trunk.weights, ...head.trunk.weights];
  const count = (chosen: readonly TrunkWeight[]) => chosen.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
  const trainable = count(weights.filter((weight) => !weight.frozen && weight.kind !== 'statistics'));
  const frozen = count(weights) - trainable;
  const active = layers.filter((layer) => layer.state !== 'frozen').length;
  const number = (value: number) => value.toLocaleString('en-US');
  return {
    layers,
    trainableParameters: trainable,
    frozenParameters: frozen,
    fixed: base.trunk.fixed,
    changed,
    summary:
      `${number(trainable)} trainable parameters in ${number(active)} layers, ` +
      `${number(frozen)} frozen ones (${number(layers.length - active)} layers frozen whole).`,
  };
}

function layerStates(trunk: Trunk, part: 'base' | 'head'): FreezeReport['layers'] {
  const byLayer = groupByLayer(trunk.weights);
  return [...byLayer].map(([name, weights]) => ({
    name,
    part,
    state: weights.every((weight) => weight.frozen)
      ? 'frozen'
      : weights.some((weight) => weight.frozen)
        ? 'mixed'
        : 'trainable',
    parameters: weights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0),
  }));
}

function groupByLayer(weights: readonly TrunkWeight[]): Map<string, TrunkWeight[]> {
  const groups = new Map<string, TrunkWeight[]>();
  for (const weight of weights) groups.set(weight.layer, [...(groups.get(weight.layer) ?? []), weight]);
  return groups;
}
