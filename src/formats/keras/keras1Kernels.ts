// Converts kernels of Keras 1 to the layout of Keras 2.
import type { StoredLayer, StoredWeight } from './storedLayers.ts';

/**
 * `series`: [steps, 1, in, out] instead of [steps, in, out]; `transposed`: [rows, columns, in, out] instead of [rows,
 * columns, out, in].
 */
export type KernelLayout = 'series' | 'transposed';

/** Returns stored layers in which some kernels are converted, selected by layer name. */
export function kernelsOfKeras1(
  layers: readonly StoredLayer[],
  layouts: ReadonlyMap<string, KernelLayout>,
): readonly StoredLayer[] {
  return layers.map((layer) => ({
    ...layer,
    weights: layer.weights.map((weight) => {
      const layout = layoutOf(layer, weight, layouts);
      return weight.shape.length === 4 && layout !== undefined ? inLayout(weight, layout) : weight;
    }),
  }));
}

/** The path of a layer in a nested model begins with the group. */
function layoutOf(
  { group, path }: StoredLayer,
  { own }: StoredWeight,
  layouts: ReadonlyMap<string, KernelLayout>,
): KernelLayout | undefined {
  return own === 'kernel' ? (layouts.get(path) ?? layouts.get(path.slice(group.length + 1))) : undefined;
}

function inLayout(weight: StoredWeight, layout: KernelLayout): StoredWeight {
  const [rows = 0, columns = 0, inputs = 0, outputs = 0] = weight.shape;
  if (layout === 'transposed') {
    const read = () => transposed(weight.read(), inputs, outputs);
    return { ...weight, shape: [rows, columns, outputs, inputs], read };
  }
  return columns === 1 ? { ...weight, shape: [rows, inputs, outputs] } : weight;
}

/** Transposes the last two axes. */
function transposed(values: Float32Array, inputs: number, outputs: number): Float32Array {
  const turned = new Float32Array(values.length);
  const size = inputs * outputs;
  for (let start = 0; start < values.length; start += size) {
    for (let i = 0; i < size; i++) {
      turned[start + (i % outputs) * inputs + Math.floor(i / outputs)] = values[start + i] ?? 0;
    }
  }
  return turned;
}
