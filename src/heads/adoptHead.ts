// Takes a LayersModel of the user's as a head.
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TransferKitError } from '../core/errors.ts';
import { describeShape, fits } from '../core/shapes.ts';
import type { Shape } from '../core/types.ts';
import { sourceFrom } from '../trunk/buildLayers.ts';
import { layerOf, avoidNames, type LayerGraph } from '../trunk/layerGraph.ts';
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
  assertLogits(parsed);
  const graph = avoidNames(parsed, taken);
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
