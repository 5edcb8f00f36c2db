// The module itself: memory that threads can share, tasks that are all done once, whoever does them.
import {
  add,
  backend,
  conv2d,
  dispose,
  fill,
  matMul,
  memory,
  ones,
  pad,
  range,
  tensor,
  tidy,
  tile,
  type Rank,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { useKernels } from '../../../src/engines/backends/useKernels.ts';
import { plain } from '../../../src/engines/kernels/binaries.ts';
import type { KernelModule } from '../../../src/engines/kernels/kernelModule.ts';
import type { KernelName } from '../../../src/engines/kernels/kernelNames.ts';
import { withMemoryType } from '../../../src/engines/kernels/memoryType.ts';
import { memoryOf, wasmBackendOf } from '../../../src/engines/kernels/wasmHeap.ts';
import { useBackend } from '../../../src/useBackend.ts';

describe('whether memory is shared', () => {
  const kernels = Uint8Array.from(Buffer.from(plain, 'base64'));
  const tfjs = readFileSync('node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm');

  test.each([
    ['memory of its own', tfjs],
    ['imported memory', kernels],
  ])('is changed in place: %s', (_, binary) => {
    const shared = withMemoryType(binary, true)!;
    const alone = withMemoryType(shared, false)!;
    expect(WebAssembly.validate(shared) && WebAssembly.validate(alone)).toBe(true);
    expect(differences(shared, alone)).toBe(1);
    expect(Buffer.compare(withMemoryType(alone, true)!, shared)).toBe(0);
  });

  test('a module on memory of the wrong kind does not start', () => {
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const start = (isShared: boolean) =>
      new WebAssembly.Instance(new WebAssembly.Module(withMemoryType(kernels, isShared)!), { env: { memory: shared } });
    expect(() => start(false)).toThrow(WebAssembly.LinkError);
    expect(start(true).exports.run).toBeTypeOf('function');
  });

  test.each([
    ['nothing', Uint8Array.of()],
    ['a module without memory', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
    ['memory without a maximum', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1)],
    ['no memories', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 1, 0)],
  ])('cannot be changed: %s', (_, binary) => {
    expect(withMemoryType(binary, true)).toBeUndefined();
  });
});

// Each raises 'OUT_OF_MEMORY'.
describe('exhausted memory', () => {
  beforeAll(() => useBackend('wasm'));

  const calls: Readonly<Record<string, () => Tensor>> = {
    'a margin of a billion': () => pad(ones([1, 2, 2, 1]), [[0, 0], [1e9, 1e9], [0, 0], [0, 0]]), // prettier-ignore
    'bytes that wrap around 32 bits to 8': () => tile(ones([1]), [2 ** 30 + 2]),
    'bytes that wrap around, by an operation of tfjs itself': () => fill([2 ** 30 + 2], 1),
    'almost all of it': () => tile(ones([1]), [2 ** 30 - 2 ** 15]),
    'a product': () => matMul(ones([2 ** 15, 1]), ones([1, 2 ** 16])),
    'a sum': () => add(ones([2 ** 15, 1]), ones([1, 2 ** 16])),
    'a filter larger than the picture': () =>
      conv2d(ones<Rank.R4>([1, 2, 2, 1]), ones<Rank.R4>([5, 5, 1, 1]), 1, 'valid'),
  };

  test.each(Object.entries(calls))('is an error, and nothing is written: %s', async (_, call) => {
    await startModule(2);
    const witness = range(0, 1000);
    const before = { ...memory(), onBackend: backend().numDataIds() };
    const text = 'Take a smaller batchSize or inputSize, or free models and tensors that are not used any more.';
    expect(() => tidy(call)).toThrow(text);
    expect({ ...memory(), onBackend: backend().numDataIds() }).toEqual(before);
    expect([...witness.dataSync()]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(doubles(1000)).toBe(true);
    witness.dispose();
  });

  test('frees the output of a kernel that cannot allocate its intermediate values', async () => {
    const module = await startModule(2);
    const [x, filter] = [ones<Rank.R4>([1, 9, 9, 4]), ones<Rank.R4>([3, 3, 4, 8])];
    const before = { ...memory(), onBackend: backend().numDataIds() };
    const reserve = vi.spyOn(module.scratch, 'reserve').mockImplementation(() => {
      throw new RangeError('there are none left');
    });
    expect(() => tidy(() => conv2d(x, filter, 1, 'same'))).toThrow('there are none left');
    expect({ ...memory(), onBackend: backend().numDataIds() }).toEqual(before);
    reserve.mockRestore();
    dispose([x, filter]);
  });
});

describe('a run', () => {
  beforeAll(() => useBackend('wasm'));

  test.each([1, 2, 5])('executes every task once, on %i threads', async (threads) => {
    const module = await startModule(threads);
    for (let round = 0; round < 10; round++) expect(doubles(100_000 + round)).toBe(true);
    expect(module.threads).toBe(threads);
  });

  test('reaches memory that has grown', async () => {
    await startModule(2);
    const memory = memoryOf(wasmBackendOf(backend())!);
    const before = memory.buffer.byteLength;
    const big: Tensor[] = [];
    while (memory.buffer.byteLength === before) big.push(tensor(new Float32Array(16 << 20)));
    expect(doubles(300_001)).toBe(true);
    dispose(big);
  });

  test('of a kernel that fails raises', async () => {
    const module = await startModule(1);
    expect(() => {
      module.run('none' as KernelName, [], 1);
    }).toThrow(WebAssembly.RuntimeError);
  });
});

async function startModule(threads: number): Promise<KernelModule> {
  const { module } = await useKernels(wasmBackendOf(backend())!, { threads });
  return module!;
}

/** Whether x + x is right for every one of so many values. */
function doubles(size: number): boolean {
  const sums = tidy(() => {
    const x = range(0, size);
    return add(x, x).dataSync();
  });
  return sums.length === size && sums.every((value, index) => value === 2 * index);
}

function differences(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, index) => sum + (byte === b[index] ? 0 : 1), 0);
}
