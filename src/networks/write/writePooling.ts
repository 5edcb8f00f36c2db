// Pooling layers as nodes.
import type { JsonObject } from '../../core/json.ts';
import { numbers } from '../graphs/inferShapes.ts';
import { fixedAxes, onlyInput, type LayerSite, type WriteLayer } from './layerSite.ts';
import { integer } from '../graphs/nodeDraft.ts';

type Kind = 'average' | 'max';

const windows = { average: 'AvgPool', max: 'MaxPool' };
const reductions = { average: 'Mean', max: 'Max' };

/** By the class of the layer. */
export const poolingWriters: Readonly<Record<string, WriteLayer>> = {
  AveragePooling1D: (site) => overTime(site, 'average'),
  MaxPooling1D: (site) => overTime(site, 'max'),
  AveragePooling2D: (site) => overPixels(site, 'average'),
  MaxPooling2D: (site) => overPixels(site, 'max'),
  GlobalAveragePooling1D: (site) => reduce(site, 'average', [1], false),
  GlobalMaxPooling1D: (site) => reduce(site, 'max', [1], false),
  GlobalAveragePooling2D: (site) => overPicture(site, 'average', false),
  GlobalMaxPooling2D: (site) => overPicture(site, 'max', false),
  GlobalAveragePooling2DKeepDims: (site) => overPicture(site, 'average', true),
  GlobalMaxPooling2DKeepDims: (site) => overPicture(site, 'max', true),
};

function overPixels(site: LayerSite, kind: Kind): string {
  const { pool_size: size = 2, strides } = site.layer.config;
  const attr = windowOf(site, numbers(size, 2), numbers(strides ?? size, 2));
  return site.scope.node(windows[kind], [onlyInput(site).x], attr);
}

/** [b, t, c] as pictures of width 1. */
function overTime(site: LayerSite, kind: Kind): string {
  const { pool_size: size = 2, strides } = site.layer.config;
  const { scope } = site;
  const column = scope.node('ExpandDims', [onlyInput(site).x, scope.integers([2], [])]); // [b, t, 1, c]
  const attr = windowOf(site, [...numbers(size, 1), 1], [...numbers(strides ?? size, 1), 1]);
  return scope.node('Squeeze', [scope.node(windows[kind], [column], attr)], { squeeze_dims: { list: { i: ['2'] } } });
}

/** For a known picture size a window as large as the picture replaces a reduction, because it is faster. */
function overPicture(site: LayerSite, kind: Kind, keepsAxes: boolean): string {
  const { x, shape } = onlyInput(site);
  const [height, width, channels] = fixedAxes(shape) ?? [];
  if (height === undefined || width === undefined || channels === undefined || height * width === 1) {
    return reduce(site, kind, [1, 2], keepsAxes);
  }
  const pooled = site.scope.node(windows[kind], [x], windowOf(site, [height, width], [1, 1])); // [b, 1, 1, c]
  if (keepsAxes) return pooled;
  return site.scope.node('Reshape', [pooled, site.scope.integers([-1, channels])], { Tshape: integer });
}

function reduce(site: LayerSite, kind: Kind, axes: readonly number[], keepsAxes: boolean): string {
  const attr = { Tidx: integer, keep_dims: { b: keepsAxes } };
  return site.scope.node(reductions[kind], [onlyInput(site).x, site.scope.integers(axes)], attr);
}

function windowOf({ layer }: LayerSite, size: readonly number[], strides: readonly number[]): JsonObject {
  const withOnes = (pair: readonly number[]) => ({ list: { i: [1, ...pair, 1].map(String) } });
  return {
    ksize: withOnes(size),
    strides: withOnes(strides),
    padding: { s: btoa(layer.config.padding === 'same' ? 'SAME' : 'VALID') },
    data_format: { s: btoa('NHWC') },
  };
}
