// Accepts a LayersModel of the user as a head.
import { layers, model, type LayersModel } from '@tensorflow/tfjs-layers';
import type { LayerGraph, LayerSpec } from '../core/graphs.ts';
import { internalError, TransferKitError } from '../core/errors.ts';
import { ofHead } from '../model/headParts.ts';
import { describeShape, fits } from '../core/shapes.ts';
import type { LayersTrunk, Shape } from '../core/types.ts';
import { sourceFrom } from '../networks/read/buildLayers.ts';
import { avoidNames, freshName, graphUpTo, layerOf } from '../networks/graphs/layerGraph.ts';
import { layersTrunk } from '../networks/trunks/layersTrunk.ts';
import { parseTopology } from '../networks/read/topology.ts';
import type { HeadEnd } from './buildHead.ts';
import { logitsOf } from '../networks/write/headGraph.ts';

/**
 * Checks whether a LayersModel can be a head. The returned function makes it one; from then on it belongs to that head
 * alone.
 *
 * @param features - Output shape of the base, with the batch axis.
 * @param ends - Name and number of logits of each head. A named head is the output whose layer has this name.
 * @param taken - Layer names in use. Layers of the head with such a name get the prefix `head_`.
 * @throws TransferKitError `WRONG_SHAPE` if input or outputs do not fit, `HEAD_WITHOUT_LOGITS` if an output ends in a
 * softmax or sigmoid, `INVALID_OPTION` for a model that is a head already.
 */
export function adoptHead(
  own: LayersModel,
  features: Shape,
  ends: readonly Pick<HeadEnd, 'name' | 'units'>[],
  taken: ReadonlySet<string>,
): () => LayersTrunk {
  assertFree(own);
  const parsed = parseTopology(own.toJSON(undefined, false));
  const names = parsed.outputs.map(({ call }) => layerOf(parsed, call).name);
  const places = placesOf(names, ends);
  for (const place of places) assertLogits(parsed, parsed.outputs[place]?.call ?? 0);
  for (const layer of parsed.layers.values()) assertSeeded(layer);
  const whole = places.length === 1 ? own : joinOutputs(own, places);
  const wiring = whole === own ? parsed : parseTopology(whole.toJSON(undefined, false));
  const exit = wiring.outputs[whole === own ? (places[0] ?? 0) : 0]?.call ?? 0;
  const graph = avoidNames(graphUpTo(wiring, exit), taken);
  const trunk = layersTrunk(graph, sourceFrom(graph, whole));
  assertInput(features, trunk.input.shape);
  const logits = logitsOf(graph, ends.length).map(({ call }) => trunk.layers.shapes[call] ?? []);
  for (const [place, end] of ends.entries()) assertUnits(end, logits[place] ?? []);
  return () => {
    adopted.set(own, trunk);
    return trunk;
  };
}

/** Heads that were made of models, by the model. */
const adopted = new WeakMap<LayersModel, LayersTrunk>();

/** Raises for a model whose layers belong to another head. */
function assertFree(own: LayersModel): void {
  const head = adopted.get(own);
  if (head === undefined) return;
  const text = `expected a head that is not in use, got '${own.name}', which ${head.disposed ? 'was' : 'is'} the head of another model. Build it again.`;
  throw new TransferKitError('INVALID_OPTION', text, { name: own.name });
}

/** Assigns the outputs of a model to heads: by name, or the only one. */
function placesOf(outputs: readonly string[], ends: readonly Pick<HeadEnd, 'name'>[]): number[] {
  if (ends.length === 1 && outputs.length === 1) return [0];
  const places = ends.map(({ name }) => outputs.indexOf(name));
  if (places.length === outputs.length && !places.includes(-1)) return places;
  const names = ends.map(({ name }) => name).filter((name) => name !== '');
  const [expected, advice] =
    names.length === 0
      ? ['one output', 'Make a model of the one that gives the logits.']
      : [`outputs of layers named ${names.join(', ')}`, 'Name its last layers as the heads.'];
  const found = names.length === 0 ? String(outputs.length) : outputs.join(', ');
  const text = `expected a head with ${expected}, got ${found}. ${advice}`;
  throw new TransferKitError('WRONG_SHAPE', text, { outputs, heads: names });
}

/** A model that concatenates some outputs of another model. */
function joinOutputs(whole: LayersModel, places: readonly number[]): LayersModel {
  const taken = new Set(whole.layers.map(({ name }) => name));
  const name = freshName('head_logits', (candidate) => taken.has(candidate));
  const joined = layers.concatenate({ name, axis: -1 }).apply(places.flatMap((place) => whole.outputs[place] ?? []));
  if (Array.isArray(joined) || !('sourceLayer' in joined)) throw internalError(`${name} gave no symbolic tensor`);
  return model({ inputs: whole.inputs, outputs: joined, name: whole.name });
}

function assertInput(features: Shape, received: Shape): void {
  const concrete = features.slice(1).map((axis) => axis ?? 0);
  if (fits(concrete, received.slice(1))) return;
  throw new TransferKitError(
    'WRONG_SHAPE',
    `expected a head whose input fits the base's features ${describeShape(features)}, got ${describeShape(received)}. ` +
      'Give it that inputShape, and begin it with a pooling layer where features are maps.',
    { features, received },
  );
}

function assertUnits({ name, units }: Pick<HeadEnd, 'name' | 'units'>, received: Shape): void {
  if (received.length === 2 && received[1] === units) return;
  throw new TransferKitError(
    'WRONG_SHAPE',
    `expected a head that gives [any, ${String(units)}] for these labels${ofHead(name)}, got ${describeShape(received)}.`,
    { units, received },
  );
}

/** Raises for dropout inside recurrent layers, which ignores the seed: training would not be reproducible. */
function assertSeeded({ name, className, config }: LayerSpec): void {
  if (!isAbove0(config.recurrent_dropout) && !(isAbove0(config.dropout) && 'recurrent_dropout' in config)) return;
  throw new TransferKitError(
    'UNSUPPORTED_LAYER',
    `expected layers whose dropout follows the seed, got '${name}' (${className}) with dropout of its own. ` +
      'Set it to 0 and add a dropout layer before it.',
    { layer: name, className },
  );
}

function isAbove0(rate: unknown): boolean {
  return typeof rate === 'number' && rate > 0;
}

function assertLogits(graph: LayerGraph, call: number): void {
  const last = layerOf(graph, call);
  const activation = last.className === 'Softmax' ? 'softmax' : String(last.config.activation ?? 'linear');
  if (activation !== 'softmax' && activation !== 'sigmoid') return;
  throw new TransferKitError(
    'HEAD_WITHOUT_LOGITS',
    `expected a head that gives logits, got one that ends in ${activation} ('${last.name}'). Leave the ` +
      'activation out: losses and predictions apply it themselves.',
    { layer: last.name, activation },
  );
}
