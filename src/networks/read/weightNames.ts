// Finds weights that a file lists under the name of another Keras version.
import type { LayerSpec } from '../../core/graphs.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { WeightSource } from '../../core/weightSource.ts';

/**
 * Keras 3 names the kernel of a depthwise convolution `kernel`, and numbers the weights of LayerScale, which have no
 * name.
 */
const otherNames: Readonly<Record<string, RegExp>> = {
  depthwise_kernel: /^(depthwise_)?kernel$/,
  gamma: /^(gamma|variable(_\d+)?)$/,
};

/**
 * The source with the names that the network's weights have. Weights with the right name keep it.
 *
 * @param layers - With the path of each layer: Keras 3 adds the names of the surrounding models as prefix.
 */
export function underOwnNames(
  source: WeightSource,
  weights: readonly TrunkWeight[],
  layers: ReadonlyMap<string, Pick<LayerSpec, 'path'>>,
): WeightSource {
  const held = new Set(source.names);
  const stored = new Map<string, string>();
  for (const { name, layer } of weights) {
    if (held.has(name)) continue;
    const own = name.slice(layer.length + 1);
    const path = layers.get(layer)?.path ?? [layer];
    // Tried with all surrounding models, with fewer, and with none. The first name that the file has is used.
    const [[found, second] = []] = path
      .map((_, first) => namesAt(source, `/${path.slice(first).join('/')}/`, own))
      .filter((names) => names.length > 0);
    if (found !== undefined && second === undefined) stored.set(name, found);
  }
  return {
    names: [...source.names, ...stored.keys()],
    shapeOf: (name) => source.shapeOf(stored.get(name) ?? name),
    read: (name) => source.read(stored.get(name) ?? name),
  };
}

/** Names in a file that mean a weight of the layer at `place`. */
function namesAt(source: WeightSource, place: string, own: string): string[] {
  return source.names.filter((each) => {
    const at = `/${each}`.indexOf(place);
    return at >= 0 && isSame(own, each.slice(at + place.length - 1));
  });
}

/**
 * Whether two names in one layer mean the same weight. Keras adds the cell of a recurrent layer and the layer inside a
 * wrapper to the name (`lstm/lstm_cell/kernel`, `time_distributed/dense/kernel`), tfjs only the direction.
 */
function isSame(own: string, other: string): boolean {
  const [wanted, found] = [lastOf(own), lastOf(other)];
  return (otherNames[wanted]?.test(found) ?? wanted === found) && directionOf(own) === directionOf(other);
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function directionOf(name: string): string | undefined {
  return /^(forward|backward)_/.exec(name)?.[1];
}
