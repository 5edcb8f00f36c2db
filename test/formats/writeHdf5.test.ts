// HDF5 files that are written here: read back by our own reader, and by the library of the HDF Group.
import * as h5wasm from 'h5wasm';
import { expect, test } from 'vitest';
import { joinBytes } from '../../src/core/joinBytes.ts';
import { hdf5InMemory } from '../../src/formats/hdf5/hdf5InMemory.ts';
import { readHdf5 } from '../../src/formats/hdf5/readHdf5.ts';
import { writeHdf5, type Hdf5Dataset, type Hdf5Group } from '../../src/formats/hdf5/writeHdf5.ts';

const floats = (shape: readonly number[], values: readonly number[]): Hdf5Dataset => ({
  shape,
  type: 'float32',
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});
const group = (links: Readonly<Record<string, Hdf5Group | Hdf5Dataset>>, texts = {}): Hdf5Group => ({
  links: new Map(Object.entries(links)),
  texts,
});

/** More links than a node of HDF5's trees holds, values of odd sizes, names and texts beyond ASCII. */
const many = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`layer_${String(i)}`, floats([1], [i])]));
const root = group({
  'Größe 😀': group(
    { 0: floats([2, 3], [1, -2.5, 3e-39, Infinity, -0, 65504]), 1: floats([], [7]), 2: floats([0, 4], []) },
    { name: 'conv/😀\n"', empty: '' },
  ),
  count: { shape: [3], type: 'int32', bytes: new Uint8Array(Int32Array.of(-1, 2 ** 31 - 1, 0).buffer) },
  many: group(many),
});
const bytes = joinBytes(writeHdf5(root));

test('our reader finds every name, shape, value and text', () => {
  const file = readHdf5(hdf5InMemory(bytes), 'written');
  expect([...file.keys('/')].sort()).toEqual(['Größe 😀', 'count', 'many']);
  const values = file.dataset('/Größe 😀/0');
  expect(values?.shape).toEqual([2, 3]);
  expect([...(values?.read() ?? [])]).toEqual([1, -2.5, Math.fround(3e-39), Infinity, -0, 65504]);
  expect([...(file.dataset('/Größe 😀/1')?.read() ?? [])]).toEqual([7]);
  expect(file.dataset('/Größe 😀/2')?.shape).toEqual([0, 4]);
  expect(file.texts('/Größe 😀', 'name')).toEqual(['conv/😀\n"']);
  expect(file.texts('/Größe 😀', 'empty')).toEqual(['']);
  expect([...(file.dataset('/count')?.read() ?? [])]).toEqual([-1, 2 ** 31, 0]);
  expect(file.keys('/many')).toHaveLength(700);
  expect([...(file.dataset('/many/layer_699')?.read() ?? [])]).toEqual([699]);
});

test('so does the library of the HDF Group', async () => {
  const { FS } = await h5wasm.ready;
  FS.writeFile('written.h5', bytes);
  const file = new h5wasm.File('written.h5', 'r');
  const dataset = (path: string) => {
    const found = file.get(path);
    if (!(found instanceof h5wasm.Dataset)) throw new TypeError(path);
    return found;
  };
  const values = dataset('Größe 😀/0');
  expect([values.shape, values.dtype]).toEqual([[2, 3], '<f']);
  expect(values.value).toEqual(Float32Array.of(1, -2.5, 3e-39, Infinity, -0, 65504));
  expect(dataset('Größe 😀/1').value).toBe(7);
  expect(dataset('count').value).toEqual(Int32Array.of(-1, 2 ** 31 - 1, 0));
  const folder = file.get('Größe 😀');
  if (!(folder instanceof h5wasm.Group)) throw new TypeError('no group');
  expect(folder.attrs.name?.value).toBe('conv/😀\n"');
  const all = file.get('many');
  if (!(all instanceof h5wasm.Group)) throw new TypeError('no group');
  expect(all.keys()).toHaveLength(700);
  expect(dataset('many/layer_512').value).toEqual(Float32Array.of(512));
  file.close();
});

test('one changed byte in a structure is found', () => {
  const at = bytes.length - 20;
  const damaged = Uint8Array.from(bytes);
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  expect(() => readHdf5(hdf5InMemory(damaged), 'written').keys('/')).toThrow(/damaged/);
});
