// Pooling and reductions as ONNX.
import { numbersIn } from '../graphs/nodeGraph.ts';
import { axesAt, flagOf, floats, inputAt, type NodeSite, type WriteNode } from './nodeSite.ts';
import { axisInSecond, Refusal, type OnnxValue } from './onnxDraft.ts';
import { windowOf } from './windows.ts';

/** By the operation of the node. */
export const poolingWriters: Readonly<Record<string, WriteNode>> = {
  AvgPool: (site) => pool(site, 'AveragePool', 'GlobalAveragePool'),
  MaxPool: (site) => pool(site, 'MaxPool', 'GlobalMaxPool'),
  Max: (site) => reduce(site, 'ReduceMax', 'GlobalMaxPool'),
  Mean: (site) => reduce(site, 'ReduceMean', 'GlobalAveragePool'),
  Min: (site) => reduce(site, 'ReduceMin'),
  Prod: (site) => reduce(site, 'ReduceProd'),
  Sum: (site) => reduce(site, 'ReduceSum'),
};

function pool(site: NodeSite, op: string, overall: string): OnnxValue {
  const { draft, node } = site;
  const x = inputAt(site, 0);
  if (x.shape.length !== 4) throw new Refusal(`its input has ${String(x.shape.length)} axes`);
  const [, height = 1, width = 1] = numbersIn(node, 'ksize');
  const { attributes, size } = windowOf(node, x.shape, [height, width]);
  const shape = [x.shape[0] ?? null, ...size, x.shape[3] ?? null];
  const isWhole = height === x.shape[1] && width === x.shape[2] && size.every((length) => length === 1);
  const read = [draft.read(x, 'second')];
  const y = isWhole ? draft.add(overall, node.name, read) : draft.add(op, node.name, read, attributes);
  return floats(y, shape, 'second');
}

/** A reduction over axes of the nodes. Over pixels it is pooling. */
function reduce(site: NodeSite, op: string, overall?: string): OnnxValue {
  const { draft, node } = site;
  const x = inputAt(site, 0);
  const axes = axesAt(site, 1, x.shape.length);
  // Without axes ONNX reduces all of them.
  if (axes.length === 0) throw new Refusal('it reduces no axis');
  const keepsAxes = flagOf(node, 'keep_dims') || flagOf(node, 'keepdims');
  const shape = x.shape.flatMap((size, axis) => (axes.includes(axis) ? (keepsAxes ? [1] : []) : [size]));
  const isOverPixels = x.shape.length === 4 && [...axes].sort().join() === '1,2';
  if (isOverPixels && overall !== undefined && (x.order === 'second' || keepsAxes)) {
    const pooled = draft.add(overall, keepsAxes ? node.name : `${node.name}/pooled`, [draft.read(x, 'second')]);
    if (keepsAxes) return floats(pooled, shape, 'second');
    return floats(draft.add('Flatten', node.name, [pooled]), shape);
  }
  const order = x.order === 'second' && keepsAxes ? 'second' : 'last';
  const own = order === 'second' ? axes.map(axisInSecond) : axes;
  return floats(addReduction(site, op, draft.read(x, order), own, keepsAxes), shape, order);
}

/** Of the reductions only the sum has its axes as an input. */
function addReduction({ draft, node }: NodeSite, op: string, x: string, axes: number[], keepsAxes: boolean): string {
  const keepdims = { int: Number(keepsAxes) };
  if (op !== 'ReduceSum') return draft.add(op, node.name, [x], { axes: { ints: axes }, keepdims });
  return draft.add(op, node.name, [x, draft.integers(`${node.name}/axes`, axes)], { keepdims });
}
