// What the bench must show, as data, and whether it does. Pure.
import { findFigure } from './figures.js';

const ours = 'ours';
const mobilenet = 'mobilenet_v2';

/** A goal compares a figure of ours, or its ratio to another figure, with a limit. */
export const goals = [
  { text: 'extract ÷ Keras', arch: mobilenet, of: ['extract', ours], to: ['extract', 'keras'], atMost: 1 },
  { text: 'extract, tfjs on wasm ÷ ours', arch: mobilenet, of: ['extract', 'tfjs'], to: ['extract', ours], atLeast: 4 },
  { text: 'head, 10 epochs ÷ Keras guide', arch: mobilenet, of: ['head', ours], to: ['head', 'keras'], atMost: 0.2 },
  {
    text: 'last blocks, one more epoch ÷ Keras',
    arch: mobilenet,
    of: ['last', ours],
    to: ['last', 'keras'],
    atMost: 0.5,
  },
  { text: 'full step ÷ Keras', arch: mobilenet, of: ['full', ours], to: ['full', 'keras'], atMost: 1.6 },
  {
    text: 'folder of JPEGs ÷ network alone',
    arch: mobilenet,
    of: ['folder', ours],
    to: ['network', ours],
    atMost: 1.15,
  },
  { text: 'ResNet50 extract ÷ Keras', arch: 'resnet50', of: ['extract', ours], to: ['extract', 'keras'], atMost: 2.5 },
  { text: 'ResNet50 full step ÷ Keras', arch: 'resnet50', of: ['full', ours], to: ['full', 'keras'], atMost: 2.5 },
  { text: "import over tfjs's own, ms", of: ['import', ours], atMost: 40 },
  { text: '{ fineTune } without peers, KiB gzip', of: ['bundle', ours], atMost: 25 },
  { text: 'features of 10,000 images, MB', of: ['memory', ours], atMost: 60 },
  { text: 'features of 100,000 images, budget 128 MB, MB', of: ['memoryByFile', ours], atMost: 128 },
  { text: 'cost an image, 2000 ÷ 250 images', of: ['growthByImages', ours], atMost: 1.15 },
  { text: 'cost an epoch, 20 ÷ 5 epochs', of: ['growthByEpochs', ours], atMost: 1.15 },
];

/**
 * How goals came out for one of our contenders; those without figures are left out.
 *
 * `range` is the least and the largest ratio among the rounds, `by` the share of the limit by which it was met (below 0)
 * or missed.
 */
export function judge(figures, contender) {
  return goals.flatMap((goal) => {
    const find = (side) => side && findFigure(figures, side[0], side[1] === ours ? contender : side[1], goal.arch);
    const [of, to] = [find(goal.of), find(goal.to)];
    if (of?.best === undefined || (goal.to !== undefined && to?.best === undefined)) return [];
    const found = of.best / (to?.best ?? 1);
    const limit = goal.atMost ?? goal.atLeast;
    const by = goal.atMost === undefined ? limit / found - 1 : found / limit - 1;
    return [{ text: goal.text, limit: describe(goal), found, range: rangeOf(of, to), met: by <= 0, by }];
  });
}

function describe({ atMost, atLeast }) {
  return atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
}

function rangeOf(of, to) {
  const rounds = of.values.map((value, i) => value / (to === undefined ? 1 : to.values[i]));
  const known = rounds.filter(Number.isFinite);
  return [Math.min(...known), Math.max(...known)];
}
