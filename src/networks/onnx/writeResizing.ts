// Pictures in another size as ONNX.
import type { NodeSpec } from '../../core/graphs.ts';
import { flagOf, floats, inputAt, integersAt, type NodeSite, type WriteNode } from './nodeSite.ts';
import { axisInSecond, Refusal, type OnnxValue } from './onnxDraft.ts';

/** By the operation of the node. */
export const resizeWriters: Readonly<Record<string, WriteNode>> = {
  ResizeBilinear: writeBilinear,
  ResizeNearestNeighbor: writeNearest,
};

/** Lengths of an axis before and after. */
interface Lengths {
  readonly from: number;
  readonly to: number;
}

function writeBilinear(site: NodeSite): OnnxValue {
  const { draft, node } = site;
  const { x, rows, columns } = sizesOf(site);
  const [isAligned, isHalf] = [flagOf(node, 'align_corners'), flagOf(node, 'half_pixel_centers')];
  const scales = Float32Array.of(1, 1, scaleOf(rows), scaleOf(columns));
  const inputs = [draft.read(x, 'second'), '', draft.constant(`${node.name}/scales`, 'float32', [4], scales)];
  const y = draft.add('Resize', node.name, inputs, {
    mode: { text: 'linear' },
    coordinate_transformation_mode: { text: isAligned ? 'align_corners' : isHalf ? 'half_pixel' : 'asymmetric' },
  });
  return floats(y, resized(x, rows, columns), 'second');
}

/**
 * Picks pixels by number: Resize computes positions in single precision, and between two pixels it would take the other one
 * than tfjs.
 */
function writeNearest(site: NodeSite): OnnxValue {
  const { draft, node } = site;
  const { x, rows, columns } = sizesOf(site);
  const pick = (values: string, name: string, axis: number, lengths: Lengths) =>
    draft.add('Gather', name, [values, draft.integers(`${name}/pixels`, nearest(node, lengths))], {
      axis: { int: x.order === 'second' ? axisInSecond(axis) : axis },
    });
  const picked = pick(draft.read(x, x.order), `${node.name}/rows`, 1, rows);
  return floats(pick(picked, node.name, 2, columns), resized(x, rows, columns), x.order);
}

function sizesOf(site: NodeSite): { readonly x: OnnxValue; readonly rows: Lengths; readonly columns: Lengths } {
  const x = inputAt(site, 0);
  const [, rows, columns] = x.shape;
  if (typeof rows !== 'number' || typeof columns !== 'number') throw new Refusal('the size of its pictures is free');
  const [height = 1, width = 1] = integersAt(site, 1);
  return { x, rows: { from: rows, to: height }, columns: { from: columns, to: width } };
}

function resized({ shape: [batch = null, , , channels = null] }: OnnxValue, rows: Lengths, columns: Lengths) {
  return [batch, rows.to, columns.to, channels];
}

/** A factor in single precision with which runtimes, which round sizes down, come to the wanted one. */
function scaleOf({ from, to }: Lengths): number {
  const scale = Math.fround(to / from);
  return scale * from >= to ? scale : Math.fround(scale * (1 + 2 ** -23));
}

/** As the kernel ResizeNearestNeighbor of tfjs. */
function nearest(node: NodeSpec, { from, to }: Lengths): number[] {
  const [isAligned, isHalf] = [flagOf(node, 'align_corners'), flagOf(node, 'half_pixel_centers')];
  const step = isAligned && to > 1 ? (from - 1) / (to - 1) : from / to;
  return Array.from({ length: to }, (_, index) => {
    const position = step * (isHalf ? index + 0.5 : index);
    return Math.min(from - 1, isAligned ? Math.round(position) : Math.floor(position));
  });
}
