// Takes a LayersModel of the user's as a head.
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TransferKitError } from '../core/errors.ts';
import { describeShape, fits } from '../core/shapes.ts';
import type { Shape } from '../core/types.ts';
import { sourceFrom } from '../trunk/buildLayers.ts';
import { avoidNames, graphUpTo, layerOf, type LayerGraph, type LayerSpec } from '../trunk/layerGraph.ts';
import { layersTrunk, type LayersTrunk } from '../trunk/layersTrunk.ts';
import { parseTopology } from '../trunk/topology.ts';

/**
 * Makes a head of a LayersModel; from then on it belongs to the head.
 *
 * @param features - Output shape of the base, with the batch axis.
 * @param units - Number of logits that the labels ask for.
 * @param taken - Layer names of the base; layers of the head with such a name get `head_` in front.
 * @throws TransferKitError `WRONG_SHAPE` when input or output do not fit, `HEAD_WITHOUT_LOGITS` when it ends in a
 * softmax or sigmoid.
 */
export function adoptHead(model: LayersModel, features: Shape, units: number, taken: ReadonlySet<string>): LayersTrunk {
  const parsed = parseTopology(model.toJSON(undefined, false));
  const [output] = parsed.outputs;
  if (output === undefined || parsed.outputs.length > 1) throw severalOutputs(parsed.outputs.length);
  assertLogits(parsed);
  for (const layer of parsed.layers.values()) assertSeeded(layer);
  const graph = avoidNames(graphUpTo(parsed, output.call), taken);
  const trunk = layersTrunk(graph, sourceFrom(graph, model));
  if (
    !fits(
      features.slice(1).map((axis) => axis ?? 0),
      trunk.input.shape.slice(1),
    )
  ) {
    const [expected, received] = [describeShape(features), describeShape(trunk.input.shape)];
    throw new TransferKitError(
      'WRONG_SHAPE',
      `replaceHead: expected a head whose input fits the base's features ${expected}, got ${received}. Give it that ` +
        'inputShape, and begin it with a pooling layer where features are maps.',
      { features, received: trunk.input.shape },
    );
  }
  const found = trunk.output.shape;
  if (found.length === 2 && found[1] === units) return trunk;
  throw new TransferKitError(
    'WRONG_SHAPE',
    `replaceHead: expected a head that gives [any, ${String(units)}] for these labels, got ${describeShape(found)}.`,
    { units, received: found },
  );
}

function severalOutputs(count: number): TransferKitError {
  const text = `replaceHead: expected a head with one output, got ${String(count)}. Make a model of the one that gives the logits.`;
  return new TransferKitError('WRONG_SHAPE', text, { outputs: count });
}

/** Dropout inside recurrent layers follows no seed; without it the head would train otherwise than its maker means. */
function assertSeeded({ name, className, config }: LayerSpec): void {
  if (!isAbove0(config.recurrent_dropout) && !(isAbove0(config.dropout) && 'recurrent_dropout' in config)) return;
  throw new TransferKitError(
    'UNSUPPORTED_LAYER',
    `replaceHead: expected layers whose dropout follows the seed, got '${name}' (${className}) with dropout of its own. ` +
      'Set it to 0 and put a dropout layer in front.',
    { layer: name, className },
  );
}

function isAbove0(rate: unknown): boolean {
  return typeof rate === 'number' && rate > 0;
}

function assertLogits(graph: LayerGraph): void {
  const last = layerOf(graph, graph.outputs[0]?.call ?? 0);
  const activation = last.className === 'Softmax' ? 'softmax' : String(last.config.activation ?? 'linear');
  if (activation !== 'softmax' && activation !== 'sigmoid') return;
  throw new TransferKitError(
    'HEAD_WITHOUT_LOGITS',
    `replaceHead: expected a head that gives logits, got one that ends in ${activation} ('${last.name}'). Leave the ` +
      'activation out: losses and predictions apply it themselves.',
    { layer: last.name, activation },
  );
}
