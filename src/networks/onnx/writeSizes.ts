// Arithmetic with shapes. It is computed while the graph is written; only the number of examples stays free.
import { inputAt, integersAt, numberOf, sizesAt, type NodeSite, type WriteNode } from './nodeSite.ts';
import { Refusal, type OnnxValue } from './onnxDraft.ts';

/** By the operation of the node. These operations are only written where they read sizes. */
export const sizeWriters: Readonly<Record<string, WriteNode>> = {
  Pack: (site) => {
    if (site.inputs.some(({ shape }) => shape.length > 0))
      throw new Refusal('it joins other values than single numbers');
    return sizes(
      site,
      site.inputs.flatMap((_, place) => sizesAt(site, place)),
    );
  },
  Shape: (site) => {
    const { shape, perExample = 1 } = inputAt(site, 0);
    if (perExample !== 1 && shape.includes(null)) throw new Refusal('it counts parts of examples');
    return sizes(site, shape);
  },
  StridedSlice: (site) => {
    const [start = 0] = integersAt(site, 1);
    const [end = 0] = integersAt(site, 2);
    const all = sizesAt(site, 0);
    if (inputAt(site, 0).shape.length !== 1) throw new Refusal('it takes a part of other values than a list');
    const masks = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask'] as const;
    const [from, to, ...others] = masks.map((mask) => numberOf(site.node, mask, 0));
    if (others.some((mask) => mask !== 0) || integersAt(site, 3).some((step) => step !== 1)) {
      throw new Refusal('it takes more than a range of sizes');
    }
    const isOne = numberOf(site.node, 'shrink_axis_mask', 0) === 1;
    const part = all.slice(from === 1 ? 0 : start, isOne ? start + 1 || all.length : to === 1 ? undefined : end);
    return sizes(site, part, isOne ? [] : undefined);
  },
};

/** Sizes that nodes join or multiply. Undefined where a node reads other values. */
export function joinedSizes(site: NodeSite): OnnxValue | undefined {
  const { node, inputs } = site;
  if (!inputs.some((input) => input.sizes !== undefined)) return undefined;
  if (node.op === 'ConcatV2') {
    return sizes(
      site,
      inputs.slice(0, -1).flatMap((_, place) => sizesAt(site, place)),
    );
  }
  if (node.op === 'Identity' || node.op === 'Cast') return inputs[0];
  return undefined;
}

function sizes(
  { node }: NodeSite,
  values: readonly (number | null)[],
  shape: readonly number[] = [values.length],
): OnnxValue {
  return { name: node.name, shape, order: 'last', dtype: 'int32', sizes: values };
}
