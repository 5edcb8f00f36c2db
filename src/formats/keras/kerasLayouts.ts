// Reads the two layouts of Keras's HDF5 files as lists of stored layers: legacy (Keras 1 to 3, attributes list the
// names) and that of Keras 3 (`layers/conv2d_1/vars/0`). Only names and shapes are read.
import { TransferKitError } from '../../core/errors.ts';
import type { Hdf5File } from '../hdf5/readHdf5.ts';
import { splitWeightName } from './kerasNames.ts';
import type { StoredLayer, StoredWeight } from './storedLayers.ts';

/**
 * Returns the layers of a legacy file, in its order; undefined for other files.
 *
 * @param root - `/`, or `/model_weights` in a whole model.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when a listed weight is missing.
 */
export function readLegacy(file: Hdf5File, root: string, source: string): StoredLayer[] | undefined {
  const names = listOf(file, root, 'layer_names');
  return names?.flatMap((group) => {
    const place = `${root === '/' ? '' : root}/${group}`;
    const weights = (listOf(file, place, 'weight_names') ?? []).map((name) => {
      const dataset = file.dataset(`${place}/${name}`);
      if (dataset === undefined) throw missing(source, `${place}/${name}`);
      const { path, own } = splitWeightName(group, name);
      return { path, weight: { location: `${group}: ${name}`, own, shape: dataset.shape, read: () => dataset.read() } };
    });
    const paths = [...new Set(weights.map(({ path }) => path))];
    return paths.map((path) => ({
      group,
      path,
      kind: undefined,
      weights: weights.filter((each) => each.path === path).map(({ weight }) => weight),
    }));
  });
}

/**
 * Returns the layers of a file of Keras 3; undefined for other files.
 *
 * @throws TransferKitError `WEIGHTS_DAMAGED` when groups are nested in a circle.
 */
export function readKeras3(file: Hdf5File, source: string): StoredLayer[] | undefined {
  const found = containers.filter((name) => file.keys('/').includes(name));
  if (found.length === 0) return undefined;
  return found.flatMap((name) => walkContainer({ file, source }, `/${name}`, ''));
}

/** Groups that hold the layers of a model; the second one is used by the first `.keras` files. */
const containers = ['layers', '_layer_checkpoint_dependencies'];

interface Walk {
  readonly file: Hdf5File;
  readonly source: string;
}

/** Most levels of groups: a deeper file has a group that links to one of its parents. */
const mostLevels = 100;

function walkContainer(walk: Walk, place: string, outer: string): StoredLayer[] {
  return [...walk.file.keys(place)].sort(byNumber).flatMap((kind) => walkLayer(walk, `${place}/${kind}`, kind, outer));
}

/** Lists a layer, then the parts that it wraps: `bidirectional` has `forward_layer/cell`. */
function walkLayer(walk: Walk, place: string, kind: string, outer: string): StoredLayer[] {
  const { file, source } = walk;
  if (place.split('/').length > mostLevels) throw endless(source, place);
  const keys = file.keys(place);
  const [name] = keys.includes('vars') ? (file.texts(`${place}/vars`, 'name') ?? []) : [];
  const path = outer === '' ? (name ?? kind) : `${outer}/${name ?? kind}`;
  const own = keys.includes('vars') ? readVariables(file, `${place}/vars`) : [];
  const inner = keys
    .filter((key) => key !== 'vars' && key !== 'seed_generator')
    .sort(forwardFirst)
    .flatMap((key) => {
      if (containers.includes(key)) return walkContainer(walk, `${place}/${key}`, path);
      return walkLayer(walk, `${place}/${key}`, key, path);
    });
  return own.length === 0 ? inner : [{ group: '', path, kind, weights: own }, ...inner];
}

function readVariables(file: Hdf5File, place: string): StoredWeight[] {
  return [...file.keys(place)].sort(byNumber).flatMap((key) => {
    const dataset = file.dataset(`${place}/${key}`);
    if (dataset === undefined) return [];
    return [{ location: `${place.slice(1)}/${key}`, own: undefined, shape: dataset.shape, read: () => dataset.read() }];
  });
}

/** Order by number: `conv2d`, `conv2d_2`, `conv2d_10`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function forwardFirst(a: string, b: string): number {
  return Number(b.startsWith('forward')) - Number(a.startsWith('forward'));
}

/** Reads a list of names: one attribute, or `name0`, `name1`, … where it is too long for one. */
function listOf(file: Hdf5File, place: string, name: string): string[] | undefined {
  const whole = file.texts(place, name);
  if (whole !== undefined) return [...whole];
  const parts: string[] = [];
  let part = file.texts(place, `${name}0`);
  if (part === undefined) return undefined;
  for (let number = 1; part !== undefined; number++) {
    parts.push(...part);
    part = file.texts(place, `${name}${String(number)}`);
  }
  return parts;
}

function endless(source: string, place: string): TransferKitError {
  const start = place.slice(0, 60);
  const text = `expected layers in ${source}, got groups that lie in each other without end (${start}…). The file is damaged: fetch or save it again.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, place: start });
}

function missing(source: string, location: string): TransferKitError {
  const text = `expected the weight '${location}' that ${source} lists, found none. The file is damaged: fetch or save it again.`;
  return new TransferKitError('WEIGHTS_DAMAGED', text, { source, location });
}
