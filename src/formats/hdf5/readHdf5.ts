// Reads an HDF5 file as groups, attributes and datasets. The file is open only during the task that reads it: callers
// need not close it. The HDF5 library is not used: it follows a file's structures into other files and in circles, and
// reports unsupported features only on the console.
import type { Hdf5Storage, OpenFile } from '../../core/hdf5Storage.ts';
import { packsTooTightly } from '../../core/inflation.ts';
import { readAttributes, textsOf, type Attribute, type Heaps } from './attributes.ts';
import { readDataspace, readDatatype } from './datatype.ts';
import { damaged, elsewhere, guarded, unsupported } from './faults.ts';
import { fileBytes, type FileBytes, type Work } from './fileBytes.ts';
import { readFilters } from './filters.ts';
import { readLinks } from './groups.ts';
import type { Link } from './link.ts';
import { readLayout } from './layout.ts';
import { messageTypes, readHeader, type Message } from './objectHeader.ts';
import { readSuperblock } from './superblock.ts';
import { readValues, type NumberDataset } from './values.ts';

/** A dataset of numbers. */
interface Hdf5Dataset {
  readonly shape: readonly number[];
  /** Reads all values; every numeric type is converted. */
  read(): Float32Array;
}

/** Groups, attributes and datasets of a file; paths are absolute. */
export interface Hdf5File {
  /** Names in a group; none when the group does not exist. */
  keys(path: string): readonly string[];
  /** Texts of an attribute; undefined when it does not exist. */
  texts(path: string, name: string): readonly string[] | undefined;
  /** Undefined when the path does not exist or is a group. */
  dataset(path: string): Hdf5Dataset | undefined;
}

/** A group or dataset. */
interface Node {
  readonly messages: readonly Message[];
  readonly links: ReadonlyMap<string, Link> | undefined;
  /** Read on first use. */
  attributes: ReadonlyMap<string, Attribute> | undefined;
}

/** HDF5's own limit of consecutive soft links. */
const mostSoftLinks = 16;
/** Limit of look-ups of paths: a file with more weights than this is made to keep its reader busy. */
const mostQuestions = 200_000;

/**
 * Opens an HDF5 file. Reading from it raises `WEIGHTS_DAMAGED` where it is damaged, and `UNSUPPORTED_SOURCE` where it
 * refers to other files (external links, external storage, virtual datasets), which are never opened.
 *
 * @param storage - Must not change.
 * @param source - Name of the file in error texts.
 * @throws TransferKitError `WEIGHTS_DAMAGED` when the file is truncated.
 */
export function readHdf5(storage: Hdf5Storage, source: string): Hdf5File {
  const { start, root } = readSuperblock(storage, source);
  const bytes = openedForATask(storage, start);
  const nodes = new Map<number, Node>();
  const heaps: Heaps = new Map();
  let questions = 0;
  const find = (path: string): Node | undefined => {
    if (++questions > mostQuestions) throw damaged('more groups and weights than any network has');
    return resolve(bytes(), nodes, root, path);
  };
  return {
    keys: (path) => guarded(source, path, () => keysOf(find(path)?.links)),
    texts: (path, name) =>
      guarded(source, path, () => {
        const node = find(path);
        if (node === undefined) return undefined;
        node.attributes ??= readAttributes(bytes(), node.messages);
        const attribute = node.attributes.get(name);
        return attribute && textsOf(bytes(), attribute, heaps);
      }),
    dataset: (path) =>
      guarded(source, path, () => {
        const node = find(path);
        const dataset = node && describe(node, storage.size);
        return (
          dataset && { shape: dataset.shape, read: () => guarded(source, path, () => readValues(bytes(), dataset)) }
        );
      }),
  };
}

/** Opens the file on first use, and closes it when the running task ends. */
function openedForATask(storage: Hdf5Storage, start: number): () => FileBytes {
  const work: Work = { done: 0 };
  let current: FileBytes | undefined;
  return () => {
    if (current !== undefined) return current;
    const file: OpenFile = storage.open();
    current = fileBytes(file, start, storage.size, work);
    queueMicrotask(() => {
      current = undefined;
      file.close();
    });
    return current;
  };
}

function keysOf(links: ReadonlyMap<string, Link> = new Map()): string[] {
  // Raise even for unused links: Keras writes no links to other files.
  for (const [name, link] of links) if (link.kind === 'elsewhere') throw elsewhere(`${link.what} as '${name}'`);
  return [...links.keys()];
}

/** Finds the object at a path; follows soft links within the file. */
function resolve(file: FileBytes, nodes: Map<number, Node>, root: number, path: string): Node | undefined {
  let softLinks = 0;
  const rest = path.split('/').reverse();
  let address = root;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '' || name === '.') continue;
    const link = nodeAt(file, nodes, address).links?.get(name);
    if (link === undefined) return undefined;
    if (link.kind === 'elsewhere') throw elsewhere(link.what);
    if (link.kind === 'hard') {
      address = link.address;
      continue;
    }
    if (++softLinks > mostSoftLinks) throw damaged('links that lead in circles');
    if (link.path.startsWith('/')) address = root;
    rest.push(...link.path.split('/').reverse());
  }
  return nodeAt(file, nodes, address);
}

function nodeAt(file: FileBytes, nodes: Map<number, Node>, address: number): Node {
  const known = nodes.get(address);
  if (known !== undefined) return known;
  const messages = readHeader(file, address);
  const node: Node = { messages, links: readLinks(file, messages), attributes: undefined };
  nodes.set(address, node);
  return node;
}

/** Describes a dataset of numbers; undefined for a group. */
function describe({ messages, links }: Node, fileSize: number): NumberDataset | undefined {
  if (links !== undefined) return undefined;
  const body = (wanted: number) => messages.find(({ type }) => type === wanted)?.body;
  const [space, kind, place] = [messageTypes.dataspace, messageTypes.datatype, messageTypes.layout].map(body);
  if (space === undefined || kind === undefined || place === undefined) throw damaged('neither a group nor values');
  if (body(messageTypes.externalFiles) !== undefined)
    throw elsewhere('values that lie in other files (external storage)');
  const [layout, type, shape] = [readLayout(place), readDatatype(kind), readDataspace(space)];
  if (shape === undefined) throw unsupported('a dataset without values');
  if (!('isBigEndian' in type)) {
    const found = type.kind === 'other' ? type.name : 'text';
    throw unsupported(`values of type '${found}' instead of integers or floats of 2, 4 or 8 bytes`);
  }
  const packed = body(messageTypes.filters);
  const filters = packed === undefined ? [] : readFilters(packed);
  const declared = shape.reduce((product, axis) => product * axis, type.size);
  const isPacked = layout.kind === 'chunked' && filters.length > 0;
  if (isPacked ? packsTooTightly(fileSize, declared) : declared > fileSize) {
    throw damaged(`${String(declared)} bytes, more than the file has (${String(fileSize)})`);
  }
  return { shape, type, layout, filters };
}
