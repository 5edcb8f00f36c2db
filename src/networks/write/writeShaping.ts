// Writes layers that move, add or drop pixels and axes as nodes. Their sizes must be known.
import type { Shape } from '../../core/types.ts';
import { numbers, sides } from '../graphs/inferShapes.ts';
import { fixedAxes, onlyInput, type LayerSite, type WriteLayer } from './layerSite.ts';
import { integer } from '../graphs/nodeDraft.ts';

/** By the class of the layer. */
export const shapingWriters: Readonly<Record<string, WriteLayer>> = {
  Flatten: reshape,
  Reshape: reshape,
  Permute: (site) => {
    const order = [0, ...numbers(site.layer.config.dims, 1)];
    return site.scope.node('Transpose', [onlyInput(site).x, site.scope.integers(order)], { Tperm: integer });
  },
  ZeroPadding2D: (site) => {
    const [rows, columns] = sides(site.layer.config.padding ?? 1);
    const paddings = site.scope.integers([0, 0, ...rows, ...columns, 0, 0], [4, 2]);
    return site.scope.node('Pad', [onlyInput(site).x, paddings], { Tpaddings: integer });
  },
  Cropping2D: (site) => {
    const size = fixedAxes(site.outputShape);
    if (size === undefined) return undefined;
    const [[top], [left]] = sides(site.layer.config.cropping ?? 0);
    const { scope } = site;
    const inputs = [onlyInput(site).x, scope.integers([0, top, left, 0]), scope.integers([-1, ...size])];
    return scope.node('Slice', inputs, { Index: integer });
  },
  UpSampling2D: (site) => resize(site, site.layer.config.interpolation === 'bilinear', false),
  HalfPixelResizing: (site) => resize(site, site.layer.config.interpolation !== 'nearest', true),
};

function reshape(site: LayerSite): string | undefined {
  const axes = withOneComputed(site.outputShape.slice(1), fixedAxes(onlyInput(site).shape));
  if (axes === undefined) return undefined;
  return site.scope.node('Reshape', [onlyInput(site).x, site.scope.integers([-1, ...axes])], { Tshape: integer });
}

/** A shape whose free axis is computed from the number of values and the other axes. */
function withOneComputed(shape: Shape, given: readonly number[] | undefined): number[] | undefined {
  const known = shape.filter((axis) => axis !== null);
  if (known.length === shape.length) return known;
  if (known.length < shape.length - 1 || given === undefined) return undefined;
  const product = (axes: readonly number[]) => axes.reduce((a, b) => a * b, 1);
  return shape.map((axis) => axis ?? product(given) / product(known));
}

function resize(site: LayerSite, bilinear: boolean, halfPixelCenters: boolean): string | undefined {
  const [height, width] = fixedAxes(site.outputShape) ?? [];
  if (height === undefined || width === undefined) return undefined;
  const inputs = [onlyInput(site).x, site.scope.integers([height, width])];
  return site.scope.node(bilinear ? 'ResizeBilinear' : 'ResizeNearestNeighbor', inputs, {
    align_corners: { b: false },
    half_pixel_centers: { b: halfPixelCenters },
  });
}
