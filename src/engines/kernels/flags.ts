// Comparisons, and the operations that tfjs's gradients of activations apply to their results.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import type { KernelName } from './kernelNames.ts';
import { shareValues } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Numbers in assembly/flags.ts: for the comparison, and for the comparison with exchanged operands. */
const comparisons = { LessEqual: [0, 1], GreaterEqual: [1, 0], Less: [2, 3], Greater: [3, 2] } as const;
const names = ['LessEqual', 'GreaterEqual', 'Less', 'Greater'] as const;

/** Kernels of tfjs's operations. */
export const flagMakers = [
  ...names.map((name) => kernelOrOriginal(name, (kernels, call) => compare(kernels, call, comparisons[name]))),
  kernelOrOriginal('LogicalAnd', bothTrue),
  kernelOrOriginal('Select', choose),
  kernelOrOriginal('Cast', cast),
  kernelOrOriginal('Identity', (kernels, { inputs: { x } }) => (x === undefined ? undefined : share(kernels, x))),
];

function compare(
  kernels: KernelModule,
  { inputs: { a, b } }: KernelCall,
  [inOrder, swapped]: readonly [number, number],
): TensorInfo | undefined {
  if (a?.dtype !== 'float32' || b?.dtype !== 'float32') return undefined;
  const [long, short, operation] = a.shape.length === 0 ? [b, a, swapped] : [a, b, inOrder];
  const isSplat = short.shape.length === 0;
  if (!isSplat && !util.arraysEqual(long.shape, short.shape)) return undefined;
  return runOnValues(kernels, 'compare', long.shape, 'bool', { a: long, b: short }, [operation, Number(isSplat)]);
}

function bothTrue(kernels: KernelModule, { inputs: { a, b } }: KernelCall): TensorInfo | undefined {
  if (a?.dtype !== 'bool' || b?.dtype !== 'bool' || !util.arraysEqual(a.shape, b.shape)) return undefined;
  return runOnValues(kernels, 'bothTrue', a.shape, 'bool', { a, b });
}

function choose(kernels: KernelModule, { inputs: { condition, t, e } }: KernelCall): TensorInfo | undefined {
  if (condition?.dtype !== 'bool' || t?.dtype !== 'float32' || e?.dtype !== 'float32') return undefined;
  if (!util.arraysEqual(condition.shape, t.shape) || !util.arraysEqual(t.shape, e.shape)) return undefined;
  return runOnValues(kernels, 'choose', t.shape, 'float32', { a: t, b: e, flags: condition });
}

function cast(kernels: KernelModule, { inputs: { x }, attrs }: KernelCall): TensorInfo | undefined {
  if (x?.dtype === 'bool' && attrs?.dtype === 'float32') {
    return runOnValues(kernels, 'numbersOfFlags', x.shape, 'float32', { flags: x });
  }
  return x !== undefined && x.dtype === attrs?.dtype ? share(kernels, x) : undefined;
}

/** Another tensor with the same data: none of tfjs's operations changes a tensor's values. */
function share({ backend }: KernelModule, { dataId, shape, dtype }: TensorInfo): TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

function runOnValues(
  kernels: KernelModule,
  name: KernelName,
  shape: number[],
  dtype: 'bool' | 'float32',
  inputs: { readonly a?: TensorInfo; readonly b?: TensorInfo; readonly flags?: TensorInfo },
  further: readonly number[] = [],
): TensorInfo | undefined {
  const size = util.sizeFromShape(shape);
  if (size === 0) return undefined;
  const out = makeOutput(kernels.backend, shape, dtype);
  const { perTask, tasks } = shareValues(size);
  const addresses = [out, inputs.a, inputs.b, inputs.flags].map((info) => info && addressOf(kernels.backend, info));
  kernels.run(name, [size, perTask, ...addresses.map((address) => address ?? 0), ...further], tasks);
  return out;
}
