// Weights that a file lists under the name of another version of Keras.
import type { TrunkWeight } from '../core/types.ts';
import type { WeightSource } from '../core/weightSource.ts';

/** Keras 3 calls the kernel of a depthwise convolution just that, and counts the weights of LayerScale, which have no name. */
const otherNames: Readonly<Record<string, RegExp>> = { depthwise_kernel: /^kernel$/, gamma: /^variable(_\d+)?$/ };

/** The source with the names that the weights of a network have. What it holds under the right name stays. */
export function underOwnNames(source: WeightSource, weights: readonly TrunkWeight[]): WeightSource {
  const held = new Set(source.names);
  const stored = new Map<string, string>();
  for (const { name, layer } of weights) {
    const other = otherNames[name.slice(layer.length + 1)];
    if (other === undefined || held.has(name)) continue;
    const prefix = `${layer}/`;
    const [found, second] = source.names.filter(
      (each) => each.startsWith(prefix) && other.test(each.slice(prefix.length)),
    );
    if (found !== undefined && second === undefined) stored.set(name, found);
  }
  return {
    names: [...source.names, ...stored.keys()],
    shapeOf: (name) => source.shapeOf(stored.get(name) ?? name),
    read: (name) => source.read(stored.get(name) ?? name),
  };
}
