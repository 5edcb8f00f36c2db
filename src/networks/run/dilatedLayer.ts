// Computes convolutions with dilation: tfjs's layers compute them without a gradient.
import { tidy, transpose, type Tensor } from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { LayerSpec } from '../../core/graphs.ts';
import { isChannelsFirst } from './fusedGroups.ts';
import { hasFusedForm, runFusedLayer } from './fusedLayers.ts';
import { numbers } from '../graphs/inferShapes.ts';
import { weightIn } from './layerWeights.ts';

/** Whether a layer is a convolution with dilation that `applyDilated` computes. */
export function isDilated(layer: LayerSpec): boolean {
  return numbers(layer.config.dilation_rate ?? 1, 2).some((rate) => rate !== 1) && hasFusedForm(layer);
}

/**
 * Runs a convolution with dilation.
 *
 * @param x - [b, t, c], [b, h, w, c], or [b, c, h, w] for a layer with its channels first.
 */
export function applyDilated(spec: LayerSpec, layer: layers.Layer, x: Tensor): Tensor {
  return tidy(() => {
    const channelsFirst = isChannelsFirst(spec);
    const last = channelsFirst ? transpose(x, [0, ...axesFrom(2, x.rank), 1]) : x;
    const weight = (name: string) => weightIn(layer, name);
    const plain = { spec, weight, padding: undefined, scale: undefined, activation: 'linear' } as const;
    const y = activationOf(layer)(runFusedLayer(last, plain));
    return channelsFirst ? transpose(y, [0, x.rank - 1, ...axesFrom(1, x.rank - 1)]) : y;
  });
}

function axesFrom(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}

/** The activation of a tfjs layer. */
function activationOf(layer: layers.Layer): (x: Tensor) => Tensor {
  const activation: unknown = 'activation' in layer ? layer.activation : undefined;
  return isApplicable(activation) ? (x) => activation.apply(x) : (x) => x;
}

function isApplicable(value: unknown): value is { apply(x: Tensor): Tensor } {
  return typeof value === 'object' && value !== null && 'apply' in value && typeof value.apply === 'function';
}
