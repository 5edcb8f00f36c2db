// The development sets of the protocol, and what is drawn from them. Only training parts are read here: the test parts
// are for test/acceptance/accuracy.js, once, with the settings that were chosen.
import { join } from 'node:path';
import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
import { loadBase } from 'transferkit';
import { emojiFolders } from '../../../examples/emoji.js';
import { keptPictures, samplesOf } from './pictures.js';

const data = process.env.TRANSFERKIT_DATA ?? '';
const kept = process.env.TRANSFERKIT_PIXELS ?? new URL('../../../.cache/protocol', import.meta.url).pathname;
const network = join(data, 'weights/mobilenet_v2_0.35_224_no_top');
const photographs = (name) => ({
  folder: () => join(data, 'images', name, 'train'),
  size: 224,
  base: () => loadBase(network, { preprocess: 'tf' }),
});

/** Folder, size in pixels and base of each set. */
export const sets = {
  clothing: photographs('clothing'),
  flowers12: photographs('flowers12'),
  ants_bees: photographs('ants_bees'),
  emoji: {
    folder: async () => (await emojiFolders()).train,
    size: 96,
    base: () => loadBase(mobilenet, { cut: 'block_13_expand_relu', inputSize: 96, preprocess: 'tf' }),
  },
};

/** Most pictures to measure a small draw on: more would cost time and change little. */
const mostHeldOut = 400;

/**
 * Draws pictures to train on, and others to measure on.
 *
 * @param few - Pictures of each label to train on, or `'all'`: four fifths of each label.
 */
export async function draw(name, { few, seed, fit }) {
  const { folder, size } = sets[name];
  const pictures = await keptPictures(join(kept, `${name}-${fit}`), await folder(), { size, fit });
  const train = [];
  const held = [];
  for (const own of byLabel(pictures, seed)) {
    const count = few === 'all' ? own.length - Math.round(own.length / 5) : few;
    train.push(...own.slice(0, count));
    held.push(...own.slice(count));
  }
  const measured = few === 'all' ? held : shuffled(held, seed).slice(0, mostHeldOut);
  return { train: samplesOf(pictures, train), held: samplesOf(pictures, measured) };
}

/** Indexes of the pictures of each label, in an order drawn by the seed. */
function byLabel({ labels, targets }, seed) {
  const all = shuffled([...targets.keys()], seed);
  return labels.map((label) => all.filter((index) => targets[index] === label));
}

/** Fisher and Yates' shuffle with the random numbers of mulberry32. */
function shuffled(values, seed) {
  const order = [...values];
  let state = (seed + 1) * 0x9e3779b9;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
