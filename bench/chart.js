// The chart of a run: each work's time relative to the reference, a bar for each contender.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { architectures } from './architectures.js';
import { findFigure } from './figures.js';

const works = [
  ['mobilenet_v2', 'extract', 'MobileNetV2: extract features'],
  ['mobilenet_v2', 'head', 'MobileNetV2: train a head from pictures, 10 epochs'],
  ['mobilenet_v2', 'last', 'MobileNetV2: train the last blocks, one more epoch'],
  ['mobilenet_v2', 'full', 'MobileNetV2: train everything, one epoch'],
  ['mobilenet_v2', 'folder', 'MobileNetV2: folder of JPEGs to features'],
  ...['vgg16', 'resnet50'].flatMap((arch) => [
    [arch, 'extract', `${architectures[arch].title}: extract features`],
    [arch, 'full', `${architectures[arch].title}: train everything, one epoch`],
  ]),
  ...['efficientnet_b0', 'densenet121', 'mobilenet_v3_large', 'convnext_tiny'].map((arch) => [
    arch,
    'extract',
    `${architectures[arch].title}: extract features`,
  ]),
];
const colours = {
  ours: '#1764ab',
  oursOnOtherNode: '#5aa2dc',
  oursOnEngine: '#0f8a6a',
  onnxruntime: '#7fc4ae',
  keras: '#c8501e',
  torch: '#e39a6b',
  tfjs: '#8c8c8c',
};
const ink = '#222222';
const rowHeight = 20;

/** SVG, on white. The reference is Keras; where it took no part, ours. */
export function drawChart({ figures, contenders }) {
  const groups = works.map((work) => groupOf(work, figures, contenders)).filter(({ bars }) => bars.length > 0);
  const rows = groups.flatMap(({ title, bars }) => [title, ...bars.map(({ row }) => row)]);
  const reference = contenders.some(({ id }) => id === 'keras') ? 'Keras' : 'transferkit';
  const { document } = parseHTML('<html><body></body></html>');
  const chart = Plot.plot({
    document,
    width: 800,
    height: 60 + rows.length * rowHeight,
    marginLeft: 190,
    marginTop: 8,
    marginRight: 100,
    marginBottom: 52,
    style: { background: '#ffffff', color: ink, fontFamily: 'Helvetica, Arial, sans-serif', fontSize: '13px' },
    x: { label: `time, ${reference} = 1; numbers are ms an image; shorter is faster`, labelArrow: 'none', ticks: 6 },
    y: { domain: rows, axis: null },
    marks: marksOf(groups),
  });
  chart.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${chart.outerHTML}\n`;
}

function marksOf(groups) {
  const bars = groups.flatMap((group) => group.bars);
  const titles = groups.map(({ title }) => title);
  return [
    Plot.gridX({ ticks: 6 }),
    Plot.ruleX([0], { stroke: ink }),
    Plot.ruleX([1], { stroke: ink, strokeDasharray: '3 3' }),
    Plot.barX(bars, { x: 'ratio', y: 'row', fill: ({ id }) => colours[id], insetTop: 1, insetBottom: 1 }),
    Plot.text(bars, { x: 'ratio', y: 'row', text: 'label', dx: 5, textAnchor: 'start', fill: ink, stroke: '#ffffff' }),
    Plot.text(bars, { x: 0, y: 'row', text: 'name', dx: -8, textAnchor: 'end', fill: ink }),
    Plot.text(titles, { x: 0, y: (title) => title, text: (title) => title, ...titleStyle }),
  ];
}

const titleStyle = { dx: -182, dy: 2, textAnchor: 'start', fontWeight: 'bold', fill: ink, stroke: '#ffffff' };

/** Bars of one work, in the order of the contenders. */
function groupOf([arch, work, title], figures, contenders) {
  const find = (id) => findFigure(figures, work, id, arch);
  const reference = find('keras')?.best ?? find('ours')?.best;
  const bars = contenders.flatMap(({ id, name }) => {
    const figure = find(id);
    const isShown = id in colours && figure !== undefined && reference !== undefined;
    return isShown ? [{ id, name, row: `${title}, ${name}`, ...lengthOf(figure, reference) }] : [];
  });
  return { title, bars };
}

function lengthOf({ best }, reference) {
  return best === undefined ? { ratio: 0, label: 'cannot' } : { ratio: best / reference, label: best.toPrecision(3) };
}
