// What the bench must show, as data, and whether it does. Pure.
import { architectures } from './architectures.js';
import { findFigure } from './figures.js';

const ours = 'ours';
const mobilenet = 'mobilenet_v2';

/** Limits on time ÷ Keras's: this library on Node 20, on Node 24, and with ONNX Runtime for what is frozen. */
const limits = [
  ['mobilenet_v2', 'extract', 1.4, 1.0, 0.5],
  ['vgg16', 'extract', 1.6, 1.2, 1.0],
  ['resnet50', 'extract', 2.2, 1.6, 0.95],
  ['efficientnet_b0', 'extract', 1.3, 1.0, 0.8],
  ['densenet121', 'extract', 2.4, 1.8, 0.6],
  ['mobilenet_v3_large', 'extract', 1.3, 1.1, 0.5],
  ['convnext_tiny', 'extract', 0.5, 0.45, 0.3],
  ['mobilenet_v2', 'full', 0.5, 0.5],
  ['resnet50', 'full', 1.0, 1.0],
  ['vgg16', 'full', 1.8, 1.8],
  ['mobilenet_v2', 'last', 0.5, 0.5],
  ['resnet50', 'last', 0.5, 0.5],
  ['vgg16', 'last', 0.5, 0.5],
];

const toKeras = limits.flatMap(([arch, work, ...atMost]) =>
  ['ours', 'oursOnOtherNode', 'oursOnEngine'].flatMap((contender, place) =>
    atMost[place] === undefined
      ? []
      : [{ text: `${work} ÷ Keras`, arch, contender, of: [work, ours], to: [work, 'keras'], atMost: atMost[place] }],
  ),
);

/**
 * A goal compares a figure of ours, or its ratio to another figure, with a limit. With `contender` it is that one's alone.
 */
export const goals = [
  ...toKeras,
  ...Object.keys(architectures).map((arch) => ({
    text: 'extract ÷ bare ONNX Runtime',
    arch,
    contender: 'oursOnEngine',
    of: ['extract', ours],
    to: ['extract', 'onnxruntime'],
    atMost: 1.15,
  })),
  { text: 'extract, tfjs on wasm ÷ ours', arch: mobilenet, of: ['extract', 'tfjs'], to: ['extract', ours], atLeast: 4 },
  { text: 'head, 10 epochs ÷ Keras guide', arch: mobilenet, of: ['head', ours], to: ['head', 'keras'], atMost: 0.2 },
  {
    text: 'folder of JPEGs ÷ network alone',
    arch: mobilenet,
    of: ['folder', ours],
    to: ['network', ours],
    atMost: 1.15,
  },
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
    if (goal.contender !== undefined && goal.contender !== contender) return [];
    const find = (side) => side && findFigure(figures, side[0], side[1] === ours ? contender : side[1], goal.arch);
    const [of, to] = [find(goal.of), find(goal.to)];
    if (of?.best === undefined || (goal.to !== undefined && to?.best === undefined)) return [];
    const found = of.best / (to?.best ?? 1);
    const limit = goal.atMost ?? goal.atLeast;
    const by = goal.atMost === undefined ? limit / found - 1 : found / limit - 1;
    const text = goal.arch === undefined ? goal.text : `${goal.arch}: ${goal.text}`;
    return [{ text, limit: describe(goal), found, range: rangeOf(of, to), met: by <= 0, by }];
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
