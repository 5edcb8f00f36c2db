// Weights by a formula that golden/presets.py computes too, so that no weights have to be stored.
import { tensor } from '@tensorflow/tfjs-core';
import type { LayerGraph } from '../../src/core/graphs.ts';
import { sourceOf, type WeightEntry, type WeightSource } from '../../src/core/weightSource.ts';
import { weightShapes } from '../../src/networks/read/weightShapes.ts';

/**
 * Numbers for a weight, by its place among the layers with weights and in its layer: at most `scale` from `offset`, 0
 * and 1 by default.
 */
export function uniform(count: number, layer: number, weight: number, [offset, scale] = [0, 1]): Float32Array {
  const seed = Math.imul(layer * 7919 + weight * 104729 + 1, 2654435761 | 0);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (i + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x ^= x >>> 16;
    values[i] = offset + scale * ((x >>> 8) / 2 ** 23 - 1);
  }
  return values;
}

/** Weights that keep activations in range. */
export function seededWeights(graph: LayerGraph, gain: number): WeightSource {
  const entries = new Map<string, WeightEntry>();
  const weighted = weightShapes(graph).filter(({ weights }) => weights === undefined || weights.length > 0);
  weighted.forEach(({ layer, weights }, i) => {
    if (weights === undefined) throw new RangeError(`weights of ${layer} are not known`);
    weights.forEach(({ name, shape }, j) => {
      const read = () => {
        const range = distribution(name.slice(layer.length + 1), shape, gain);
        return tensor(uniform(product(shape), i, j, range), [...shape]);
      };
      entries.set(name, { shape, read });
    });
  });
  return sourceOf(entries);
}

/** Middle and largest distance from it. */
function distribution(name: string, shape: readonly number[], gain: number): [number, number] {
  if (name.endsWith('kernel')) {
    const inputs = name === 'depthwise_kernel' ? shape.slice(0, 2) : shape.slice(0, -1);
    return [0, gain * Math.sqrt(6 / product(inputs))];
  }
  if (name === 'gamma') return [1, 0.1];
  if (name === 'moving_variance' || name === 'variance') return [1, 0.3];
  return name === 'count' ? [0, 0] : [0, 0.1];
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
