// A small task that can be learnt: pictures whose stripes lean with their class, in noise drawn by a seed.
import {
  loadBase,
  replaceHead,
  fromArrays,
  type HeadOptions,
  type Unmixed,
  type Samples,
  type TaskName,
  type TransferModel,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { asTested } from './testBackend.ts';
import { tinyModel } from './tinyModel.ts';

export const tinyLabels = ['across', 'along', 'plain'];

/** One picture [16, 16, 3] of a class. */
export function tinyPicture(label: string, random: () => number): Float32Array {
  const picture = new Float32Array(16 * 16 * 3);
  for (let i = 0; i < picture.length; i++) {
    const row = Math.floor(i / 48);
    const column = Math.floor((i % 48) / 3);
    const stripe = label === 'across' ? row % 4 < 2 : label === 'along' ? column % 4 < 2 : false;
    picture[i] = (stripe ? 1 : -0.5) + 0.6 * (random() - 0.5);
  }
  return picture;
}

/** `each` examples of every class, in turn. */
export function tinySamples(each = 8, seed = 1): Samples {
  const random = randomGenerator(seed);
  const targets = Array.from({ length: each * tinyLabels.length }, (_, i) => tinyLabels[i % tinyLabels.length] ?? '');
  return fromArrays({ inputs: targets.map((label) => tinyPicture(label, random)), targets });
}

/** A base with a new head on the tiny network. */
export async function tinyTransfer<T extends TaskName = 'classes'>(
  options?: Partial<HeadOptions<T>>,
  cut = 'relu2',
): Promise<TransferModel<T>> {
  const source = tinyModel();
  const base = await loadBase(source, { cut });
  source.dispose();
  const complete = { ...(options?.task === 'regression' ? {} : { labels: tinyLabels }), ...options };
  return asTested(replaceHead<T>(base, complete as HeadOptions<T> & Unmixed<T>));
}

/** All weights of a model by name, as plain values. */
export function weightValues({ base, head }: TransferModel): Record<string, number[]> {
  return Object.fromEntries(
    [...base.trunk.weights, ...head.trunk.weights].map(({ name, variable }) => [name, Array.from(variable.dataSync())]),
  );
}
