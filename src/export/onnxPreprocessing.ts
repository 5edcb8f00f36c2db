// Preprocessing of pictures as ONNX: fit, resize and scale, with the arithmetic of data/preprocess. ONNX's own Resize
// has no antialiasing before version 18, so both axes are products with matrices of weights, which are computed from the
// size of the picture.
import { TransferKitError } from '../core/errors.ts';
import { scalingOf } from '../data/preprocess/scale.ts';
import type { ImageSpec, PreprocessorSpec } from '../model/model.ts';
import { OnnxDraft } from '../networks/onnx/onnxDraft.ts';
import type { OnnxGraph } from '../networks/onnx/onnxModel.ts';

/**
 * Puts preprocessing before a graph, whose input becomes pictures [b, h, w, c] of bytes, of any size.
 *
 * @throws TransferKitError `INVALID_OPTION` for preprocessing of another kind.
 */
export function withPreprocessing(graph: OnnxGraph, spec: PreprocessorSpec): OnnxGraph {
  const [input] = graph.inputs;
  if (spec.kind !== 'image' || input === undefined) throw notOfPictures(spec);
  const { channels = 3 } = spec;
  const steps = stepsIn(graph);
  const pictures = steps.draft.freshName(free('pictures', graph));
  const size = steps.add('Shape', 'size', [pictures]);
  const [height, width] = [1, 2].map((axis) => steps.add('Gather', 'axis', [size, steps.integers('place', [axis])]));
  const floats = steps.add('Cast', 'floats', [pictures], { to: { int: 1 } });
  const rows = weightsOf(steps, { size: height ?? '', other: width ?? '' }, spec, 0);
  const columns = weightsOf(steps, { size: width ?? '', other: height ?? '' }, spec, 1);
  const taken = columns.taken(rows.taken(floats, 1), 2);
  // [out, h] · [b, h, w · c]; then [out, w] · [b, out, w, c].
  const lines = steps.add('Reshape', 'lines', [taken, steps.integers('flat', [0, 0, -1])]);
  const reduced = steps.add('MatMul', 'rows', [rows.weights, lines]);
  const shape = steps.integers('unflat', [0, spec.size[0], -1, channels]);
  const resized = steps.add('MatMul', 'columns', [columns.weights, steps.add('Reshape', 'rows', [reduced, shape])]);
  scale(steps, resized, spec, input.name);
  return {
    ...graph,
    nodes: [...steps.draft.nodes, ...graph.nodes],
    constants: [...steps.draft.constants, ...graph.constants],
    inputs: [{ name: pictures, type: 'uint8', shape: [null, null, null, channels] }],
  };
}

/** Adds operations under names that the graph does not have. */
function stepsIn(graph: OnnxGraph) {
  const draft = new OnnxDraft();
  const prefix = free('preprocessing', graph);
  const named = (name: string) => `${prefix}/${name}`;
  return {
    draft,
    add: (op: string, name: string, inputs: readonly string[], attributes = {}) =>
      draft.add(op, named(name), inputs, attributes),
    integers: (name: string, values: readonly number[]) => draft.integers(named(name), values),
    number: (name: string, value: number) => draft.number(named(name), value),
    floats: (name: string, shape: readonly number[], values: readonly number[]) =>
      draft.constant(named(name), 'float32', shape, Float32Array.from(values)),
  };
}

type Steps = ReturnType<typeof stepsIn>;

/** A name that no name of the graph begins with. */
function free(wanted: string, { nodes, constants, inputs }: OnnxGraph): string {
  const taken = [...nodes.flatMap(({ outputs }) => outputs), ...[...constants, ...inputs].map(({ name }) => name)];
  let name = wanted;
  while (taken.some((each) => each.startsWith(name))) name = `${name}_`;
  return name;
}

/** Sizes of the picture on this axis and on the other one: lists of one integer. */
interface Axis {
  readonly size: string;
  readonly other: string;
}

interface AxisWeights {
  /** [out, pixels] */
  readonly weights: string;
  /** The part of the picture that the weights belong to. */
  taken(pictures: string, axis: number): string;
}

/** The weights of an axis, and the part of the picture that they take: see pictureRegion and tapsFor. */
function weightsOf(steps: Steps, axis: Axis, { size, fit, resize }: ImageSpec, place: 0 | 1): AxisWeights {
  const own = size[place];
  const all = { weights: '', taken: (pictures: string) => pictures };
  if (fit === 'stretch') return { ...all, weights: weightsOver(steps, axis.size, own, resize) };
  const matching = matchingSize(steps, axis, own, size[1 - place] ?? own);
  const half = (difference: string) => steps.add('Div', 'half', [difference, steps.integers('two', [2])]);
  const along = (axisNumber: number) => steps.integers('along', [axisNumber]);
  if (fit === 'cover') {
    const least = steps.add('Min', 'least', [axis.size, matching]);
    const length = steps.add('Max', 'length', [least, steps.integers('one', [1])]);
    const start = half(steps.add('Sub', 'rest', [axis.size, length]));
    const end = steps.add('Add', 'end', [start, length]);
    const taken = (pictures: string, axisNumber: number) =>
      steps.add('Slice', 'part', [pictures, start, end, along(axisNumber)]);
    return { weights: weightsOver(steps, length, own, resize), taken };
  }
  const most = steps.add('Max', 'most', [axis.size, matching]);
  const bar = half(steps.add('Sub', 'bars', [most, axis.size]));
  const length = steps.add('Add', 'length', [axis.size, steps.add('Add', 'both', [bar, bar])]);
  const end = steps.add('Add', 'end', [bar, axis.size]);
  // Outside of the picture everything is black.
  const weights = steps.add('Slice', 'inside', [weightsOver(steps, length, own, resize), bar, end, along(1)]);
  return { ...all, weights };
}

/** The size that has the aspect ratio of the input: `trunc(other * own / across)`. */
function matchingSize(steps: Steps, { other }: Axis, own: number, across: number): string {
  const product = steps.add('Mul', 'product', [other, steps.integers('own', [own])]);
  const quotient = steps.add('Div', 'quotient', [toFloat(steps, product), steps.number('across', across)]);
  return steps.add('Cast', 'matching', [quotient], { to: { int: 7 } });
}

function toFloat(steps: Steps, integers: string): string {
  return steps.add('Cast', 'float', [integers], { to: { int: 1 } });
}

/** Weights of `length` pixels, a list of one integer, for each of `out` results. */
function weightsOver(steps: Steps, length: string, out: number, method: ImageSpec['resize']): string {
  const { add, number, integers } = steps;
  const count = add('Squeeze', 'count', [length]);
  const [zero, one] = [0, 1].map((value) => integers('bound', [value])).map((name) => add('Squeeze', 'bound', [name]));
  const pixels = toFloat(steps, add('Range', 'pixels', [zero ?? '', count, one ?? '']));
  const scaling = add('Div', 'scaling', [toFloat(steps, length), number('out', out)]);
  const places = Array.from({ length: out }, (_, index) => index + 0.5);
  const centres = add('Mul', 'centres', [steps.floats('places', [out, 1], places), scaling]);
  if (method === 'nearest') {
    const last = add('Sub', 'last', [toFloat(steps, length), number('one', 1)]);
    const nearest = add('Min', 'nearest', [add('Floor', 'floor', [centres]), last]);
    return add('Cast', 'weights', [add('Equal', 'is_nearest', [pixels, nearest])], { to: { int: 1 } });
  }
  // Half the width of a triangle.
  const reach = method === 'antialias' ? add('Max', 'reach', [scaling, number('one', 1)]) : number('reach', 1);
  const distance = add('Sub', 'distance', [add('Add', 'middles', [pixels, number('half', 0.5)]), centres]);
  const slope = add('Abs', 'slope', [add('Div', 'share', [distance, reach])]);
  const heights = add('Relu', 'heights', [add('Sub', 'falling', [number('one', 1), slope])]);
  const sums = add('ReduceSum', 'sums', [heights, integers('along', [1])], { keepdims: { int: 1 } });
  return add('Div', 'weights', [heights, sums]);
}

/** `(pixel - mean) / divisor`, under the name of the graph's input. */
function scale(steps: Steps, pixels: string, { mode, channels = 3 }: ImageSpec, result: string): void {
  const { mean, divisor, bgr } = scalingOf(mode, channels);
  const turned = Array.from({ length: channels }, (_, channel) => channels - 1 - channel);
  const ordered = bgr
    ? steps.add('Gather', 'blue_first', [pixels, steps.integers('order', turned)], { axis: { int: 3 } })
    : pixels;
  const centred = steps.add('Sub', 'centred', [ordered, steps.floats('mean', [channels], mean)]);
  steps.draft.add('Div', result, [centred, steps.floats('divisor', [channels], divisor)]);
}

function notOfPictures({ kind }: PreprocessorSpec): TransferKitError {
  const text =
    `expected includePreprocessing for a base that takes pictures, got preprocessing of the kind '${kind}'. Leave the ` +
    'option out: the input is then a preprocessed batch.';
  return new TransferKitError('INVALID_OPTION', text, { kind });
}
