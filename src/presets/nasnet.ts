// NASNet-A: cells whose structure was found by a search. Each cell reads the outputs of the two cells before it.
import type { LayerGraph } from '../core/graphs.ts';
import {
  activate,
  classify,
  concatenate,
  convolve,
  convolveSeparably,
  halve,
  normalizeBatch,
  padZeros,
  paddingBeforeStride,
  poolAverage,
  poolMaximum,
} from './blocks.ts';
import { buildGraph, type GraphBuilder, type Place } from './graphBuilder.ts';
import type { ArchitectureOptions, Preset } from './preset.ts';
import { publishedFile } from './published.ts';

/** A tensor with its height and width, which the padding of later layers depends on. */
interface Sized {
  readonly place: Place;
  readonly size: readonly [number, number];
}

/** Inputs of a cell, and the names of its layers. */
interface Cell {
  readonly x: Sized;
  /** Output of the cell before the last one. Missing for the first cell. */
  readonly previous: Sized | undefined;
  readonly filters: number;
  readonly block: string;
}

/** A separable convolution of a cell, which is applied twice. */
interface Separable {
  readonly filters: number;
  readonly kernel: 3 | 5 | 7;
  /** Default 1. */
  readonly strides?: 1 | 2;
}

const depth = 4;
const filters = 44;
const batchNorm = { epsilon: 1e-3, momentum: 0.9997 };
/** He et al. 2015, https://arxiv.org/abs/1502.01852. */
const initializer = { class_name: 'HeNormal', config: { seed: null } };

/**
 * NASNet-A mobile (Zoph et al. 2017, https://arxiv.org/abs/1707.07012), as in `keras/src/applications/nasnet.py`.
 */
export const presets: readonly Preset[] = [
  {
    name: 'nasnet_mobile',
    kerasName: 'NASNetMobile',
    inputSize: 224,
    smallestInputSize: 32,
    mode: 'tf',
    alphas: [1],
    architecture,
    weights: ({ top }) =>
      top
        ? publishedFile('nasnet/NASNet-mobile.h5', '020fb642bf7360b370c678b08e0adf61')
        : publishedFile('nasnet/NASNet-mobile-no-top.h5', '1ed92395b5b598bdda52abe5c0dbfd63'),
  },
];

function architecture({ inputSize, top }: ArchitectureOptions): LayerGraph {
  const graph = buildGraph('nasnet_mobile', inputSize);
  const stem = { filters: 32, kernel: 3, strides: 2, bias: false, initializer };
  const place = normalizeBatch(graph, convolve(graph, graph.input, 'stem_conv1', stem), 'stem_bn1', batchNorm);
  const [height, width] = inputSize;
  let x: Sized = { place, size: [Math.floor((height - 1) / 2), Math.floor((width - 1) / 2)] };
  let previous: Sized | undefined;
  const add = (addCell: typeof addNormal, block: string, width: number) => {
    const next = addCell(graph, { x, previous, filters: width, block });
    previous = x;
    x = next;
  };
  add(addReduction, 'stem_1', filters / 4);
  add(addReduction, 'stem_2', filters / 2);
  for (let group = 0; group < 3; group++) {
    const wide = filters * 2 ** group;
    if (group > 0) add(addReduction, `reduce_${String(group * depth)}`, wide);
    // Reductions are counted too, so a number is skipped after each.
    for (let i = 0; i < depth; i++) add(addNormal, String(group * depth + i + (group > 0 ? 1 : 0)), wide);
  }
  const end = activate(graph, x.place, graph.autoName('activation'));
  return graph.graph(top ? classify(graph, end, graph.autoName('global_average_pooling2d')) : end);
}

/** A cell that keeps height and width. */
function addNormal(graph: GraphBuilder, cell: Cell): Sized {
  const { filters, block, x } = cell;
  const previous = adjust(graph, cell);
  const h = enter(graph, cell, 'normal');
  const separable = (from: Sized, name: string, kernel: 3 | 5) =>
    addSeparable(graph, from, `normal_${name}_${block}`, { filters, kernel });
  const average = (from: Sized, name: string) =>
    poolAverage(graph, from.place, `normal_${name}_${block}`, { pool: 3, strides: 1, padding: 'same' });
  const sum = (number: number, ...places: Place[]) =>
    graph.layer('Add', `normal_add_${String(number)}_${block}`, places);
  const parts = [
    previous.place,
    sum(1, separable(h, 'left1', 5), separable(previous, 'right1', 3)),
    sum(2, separable(previous, 'left2', 5), separable(previous, 'right2', 3)),
    sum(3, average(h, 'left3'), previous.place),
    sum(4, average(previous, 'left4'), average(previous, 'right4')),
    sum(5, separable(h, 'left5', 3), h.place),
  ];
  return { place: concatenate(graph, parts, `normal_concat_${block}`), size: x.size };
}

/** A cell that halves height and width. */
function addReduction(graph: GraphBuilder, cell: Cell): Sized {
  const { filters, block, x } = cell;
  const previous = adjust(graph, cell);
  const h = enter(graph, cell, 'reduction');
  const size = halve(x.size);
  const padded = padZeros(graph, h.place, `reduction_pad_1_${block}`, paddingBeforeStride(h.size, 3));
  const pooling = { pool: 3, strides: 2 };
  const separable = (from: Sized, name: string, kernel: 5 | 7) =>
    addSeparable(graph, from, `reduction_${name}_${block}`, { filters, kernel, strides: 2 });
  const sum = (name: string, ...places: Place[]) => graph.layer('Add', name, places);

  const x1 = sum(`reduction_add_1_${block}`, separable(h, 'left1', 5), separable(previous, 'right1', 7));
  const largest = poolMaximum(graph, padded, `reduction_left2_${block}`, pooling);
  const x2 = sum(`reduction_add_2_${block}`, largest, separable(previous, 'right2', 7));
  const mean = poolAverage(graph, padded, `reduction_left3_${block}`, pooling);
  const x3 = sum(`reduction_add3_${block}`, mean, separable(previous, 'right3', 5));
  const around = poolAverage(graph, x1, `reduction_left4_${block}`, { pool: 3, strides: 1, padding: 'same' });
  const x4 = sum(graph.autoName('add'), x2, around);
  const again = addSeparable(graph, { place: x1, size }, `reduction_left4_${block}`, { filters, kernel: 3 });
  const x5 = sum(`reduction_add4_${block}`, again, poolMaximum(graph, padded, `reduction_right5_${block}`, pooling));
  return { place: concatenate(graph, [x2, x3, x4, x5], `reduction_concat_${block}`), size };
}

/** Activates, projects and normalises the input of a cell. */
function enter(graph: GraphBuilder, { x, filters, block }: Cell, kind: 'normal' | 'reduction'): Sized {
  const h = activate(graph, x.place, graph.autoName('activation'));
  const place = convolvePixels(graph, h, `${kind}_conv_1_${block}`, filters);
  return { place: normalizeBatch(graph, place, `${kind}_bn_1_${block}`, batchNorm), size: x.size };
}

/** The output of the cell before the last one, with the height and width of the input and the channels of this cell. */
function adjust(graph: GraphBuilder, { x, previous, filters, block }: Cell): Sized {
  if (previous === undefined) return x;
  if (previous.size[1] !== x.size[1]) return { place: shrink(graph, previous.place, filters, block), size: x.size };
  if (previous.place.channels === filters) return previous;
  const active = activate(graph, previous.place, graph.autoName('activation'));
  const place = convolvePixels(graph, active, `adjust_conv_projection_${block}`, filters);
  return { place: normalizeBatch(graph, place, `adjust_bn_${block}`, batchNorm), size: previous.size };
}

/** Halves the size in two ways, joined: every other pixel from the first on, and from the second on. */
function shrink(graph: GraphBuilder, x: Place, filters: number, block: string): Place {
  const half = (from: Place, number: number) => {
    const pooling = { pool: 1, strides: 2 };
    const pixels = poolAverage(graph, from, `adjust_avg_pool_${String(number)}_${block}`, pooling);
    return convolvePixels(graph, pixels, `adjust_conv_${String(number)}_${block}`, Math.floor(filters / 2));
  };
  const active = activate(graph, x, `adjust_relu_1_${block}`);
  const first = half(active, 1);
  const padded = padZeros(graph, active, graph.autoName('zero_padding2d'), [[0, 1], [0, 1]]); // prettier-ignore
  const cropping = [[1, 0], [1, 0]]; // prettier-ignore
  const second = half(graph.layer('Cropping2D', graph.autoName('cropping2d'), padded, { cropping }), 2);
  const both = concatenate(graph, [first, second], graph.autoName('concatenate'));
  return normalizeBatch(graph, both, `adjust_bn_${block}`, batchNorm);
}

function addSeparable(
  graph: GraphBuilder,
  { place, size }: Sized,
  block: string,
  { filters, kernel, strides = 1 }: Separable,
): Place {
  let y = activate(graph, place, graph.autoName('activation'));
  if (strides === 2) y = padZeros(graph, y, `separable_conv_1_pad_${block}`, paddingBeforeStride(size, kernel));
  const padding = strides === 2 ? 'valid' : 'same';
  y = convolveSeparably(graph, y, `separable_conv_1_${block}`, { filters, kernel, strides, padding });
  y = activate(
    graph,
    normalizeBatch(graph, y, `separable_conv_1_bn_${block}`, batchNorm),
    graph.autoName('activation'),
  );
  y = convolveSeparably(graph, y, `separable_conv_2_${block}`, { filters, kernel });
  return normalizeBatch(graph, y, `separable_conv_2_bn_${block}`, batchNorm);
}

function convolvePixels(graph: GraphBuilder, x: Place, name: string, filters: number): Place {
  return convolve(graph, x, name, { filters, kernel: 1, padding: 'same', bias: false, initializer });
}
