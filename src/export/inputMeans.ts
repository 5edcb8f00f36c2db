// Means of the inputs of kernels, on pictures of noise. They are close to those of photographs, and need no data.
import { add, dispose, div, image, mean, tensor4d, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { randomGenerator } from '../core/random.ts';
import type { TensorSpec } from '../core/types.ts';
import { rangeOf } from '../data/preprocess/scale.ts';
import type { PreprocessorSpec } from '../model/model.ts';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import { kernelsIn } from '../networks/write/channelScales.ts';
import type { InputMeans } from '../networks/write/correctBiases.ts';
import { packNodes } from './packNodes.ts';
import { startGraph } from './startGraph.ts';

/** Rows and columns of coloured patches of each picture, which are blurred into each other. */
const patches = [2, 6, 10, 14, 2, 6, 10, 14];

/**
 * Runs a folded model on noise.
 *
 * @param input - Of the model.
 * @param spec - Its preprocessing, which says the range of its input.
 * @returns The means, which the caller owns; none for a model that does not take pictures.
 */
export async function inputMeans(folded: FoldedNodes, input: TensorSpec, spec: PreprocessorSpec): Promise<InputMeans> {
  const sums = new Map<string, Tensor>();
  const [, height = null, width = null, channels = null] = input.shape;
  if (spec.kind !== 'image' || height === null || width === null || channels === null) return sums;
  const kernels = kernelsIn(folded.graph, folded.constants);
  const names = [...new Set([...kernels.keys()].map(({ inputs }) => inputs[0] ?? ''))];
  const model = await startGraph(await packNodes(folded, { quantize: undefined, byChannel: [], means: new Map() }));
  try {
    const range = rangeOf(spec.mode, spec.channels);
    for (const [seed, across] of patches.entries()) {
      const picture = noise([height, width, channels], across, range, seed);
      const all = tidy(() => [model.execute(picture, names)].flat().map(channelMeans));
      picture.dispose();
      names.forEach((name, place) => {
        addTo(sums, name, all[place]);
      });
    }
  } finally {
    model.dispose();
  }
  return sums;
}

function channelMeans(value: Tensor): Tensor {
  const axes = value.shape.map((_, axis) => axis).slice(0, -1);
  return div(mean(value, axes), patches.length);
}

/** Adds a tensor to a sum, and frees it. */
function addTo(sums: Map<string, Tensor>, name: string, value: Tensor | undefined): void {
  const before = sums.get(name);
  if (value === undefined) return;
  if (before === undefined) {
    sums.set(name, value);
    return;
  }
  sums.set(name, add(before, value));
  dispose([before, value]);
}

function noise(
  [height, width, channels]: readonly [number, number, number],
  across: number,
  [low, high]: readonly [number, number],
  seed: number,
): Tensor4D {
  const random = randomGenerator(seed);
  const values = Float32Array.from({ length: across * across * channels }, () => low + (high - low) * random());
  return tidy(() => image.resizeBilinear(tensor4d(values, [1, across, across, channels]), [height, width]));
}
