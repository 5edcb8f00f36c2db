// Kernels of the module, called without what stands behind them: a call that they do not do fails the test.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { useKernels } from '../../../src/engines/backends/useKernels.ts';
import { kernelMakers } from '../../../src/engines/kernels/kernelConfigs.ts';
import type { KernelModule } from '../../../src/engines/kernels/kernelModule.ts';
import { wasmBackendOf } from '../../../src/engines/kernels/wasmHeap.ts';
import { useBackend } from '../../../src/useBackend.ts';

/** A call of a kernel. Inputs are made anew on each backend. */
export interface Call {
  readonly kernel: string;
  readonly inputs: () => tf.NamedTensorMap;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A result. */
export interface Values {
  readonly shape: number[];
  readonly data: Float32Array;
  /** Further results. */
  readonly further?: readonly Values[];
}

/** Starts the module, and places its kernels, whatever the tests before have left running. */
export async function startModule(threads: number): Promise<KernelModule> {
  await useBackend('wasm', { threads });
  const { module } = await useKernels(wasmBackendOf(tf.backend())!, { threads });
  expect(module?.threads).toBe(threads);
  return module!;
}

/** What tfjs's cpu backend computes. */
export async function onCpu(calls: readonly Call[]): Promise<Values[]> {
  tf.env().set('PROD', true); // The cpu backend's greeting.
  await tf.setBackend('cpu');
  return calls.map(({ kernel, inputs, attributes }) =>
    scoped(() => valuesOf(tf.engine().runKernel(kernel, inputs(), attributes as tf.NamedAttrMap))),
  );
}

/** What the module computes on one thread and, bit by bit the same, on two; nothing is left in memory. */
export async function onModule(calls: readonly Call[]): Promise<Values[]> {
  const alone = await runAll(await startModule(1), calls);
  const together = await runAll(await startModule(2), calls);
  for (const [i, { data, further }] of together.entries()) {
    expect(areSameBits(data, alone[i]!.data), calls[i]!.kernel).toBe(true);
    for (const [j, other] of (further ?? []).entries()) {
      expect(areSameBits(other.data, alone[i]!.further![j]!.data), calls[i]!.kernel).toBe(true);
    }
  }
  return alone;
}

/** Vitest would take seconds for a million values. */
export function areSameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;
}

async function runAll(module: KernelModule, calls: readonly Call[]): Promise<Values[]> {
  const before = { ...tf.memory(), onBackend: tf.backend().numDataIds() };
  const results = calls.map((call) => callOn(module, call));
  expect({ ...tf.memory(), onBackend: tf.backend().numDataIds() }).toEqual(before);
  return results;
}

/** What a module computes. The inputs are freed. */
export function callOn(module: KernelModule, { kernel, inputs, attributes }: Call): Values {
  const { kernelFunc } = kernelMakers.find(({ kernelName }) => kernelName === kernel)!.make(module, undefined);
  const call = { backend: module.backend, attrs: attributes as tf.NamedAttrMap };
  return scoped(() => {
    const infos = [kernelFunc({ ...call, inputs: inputs() })].flat();
    const [first, ...others] = infos.map((info) => valuesOf(tf.engine().makeTensorFromTensorInfo(info)));
    return others.length === 0 ? first! : { ...first!, further: others };
  });
}

function valuesOf(tensor: tf.Tensor): Values {
  return { shape: tensor.shape, data: tensor.dataSync<'float32'>().slice() };
}

/** Like tf.tidy, for results that are not tensors. */
function scoped(run: () => Values): Values {
  tf.engine().startScope();
  try {
    return run();
  } finally {
    tf.engine().endScope();
  }
}
