// Pools feature maps to vectors in plain memory.
import { clone, concat, dispose, max, mean, reshape, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { internalError } from '../core/errors.ts';

/** Average or maximum over all positions, both concatenated, or all values of all positions. */
export type FeaturePooling = 'average' | 'max' | 'both' | 'flatten';

/** All kinds of pooling. */
export const featurePoolings: readonly FeaturePooling[] = ['average', 'max', 'both', 'flatten'];

/**
 * Pools the values of a map [b, …, c]: to [b, c]; to [b, 2 c] for `both`; to [b, … c] for `flatten`. Vectors stay
 * unchanged. The caller keeps the map.
 */
export async function pooledValues(map: Tensor, pooling: FeaturePooling): Promise<Float32Array> {
  const pooled = pool(map, pooling);
  try {
    const values = await pooled.data();
    if (!(values instanceof Float32Array)) throw internalError(`features are ${pooled.dtype}`);
    return values;
  } finally {
    dispose(pooled);
  }
}

function pool(map: Tensor, pooling: FeaturePooling): Tensor {
  if (map.rank === 2) return clone(map);
  const places = map.shape.slice(1, -1).map((_, i) => i + 1);
  return tidy(() => {
    if (pooling === 'flatten') return reshape(map, [map.shape[0], -1]);
    if (pooling === 'average') return mean(map, places);
    if (pooling === 'max') return max(map, places);
    return concat([mean(map, places), max(map, places)], 1);
  });
}
