// Functions of single values: clips (relu and relu6 among them), steps and the logistic function.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { real, type KernelModule } from './kernelModule.ts';
import { exponential } from './exponential.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { shareValues } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Numbers of the functions in assembly/activation.ts. */
const operations = { clip: 0, step: 1, sigmoid: 2 } as const;

/** A function with its parameters: the bounds of a clip, the values of a step below and above 0. */
interface Activation {
  readonly operation: keyof typeof operations;
  readonly low?: number;
  readonly high?: number;
}

/** Kernels of tfjs's operations. */
export const activationMakers = [
  maker('Relu', () => ({ operation: 'clip', low: 0, high: Infinity })),
  maker('Relu6', () => ({ operation: 'clip', low: 0, high: 6 })),
  maker('ClipByValue', ({ attrs }) => ({
    operation: 'clip',
    low: Number(attrs?.clipValueMin),
    high: Number(attrs?.clipValueMax),
  })),
  maker('Step', ({ attrs }) => ({ operation: 'step', low: Number(attrs?.alpha), high: 1 })),
  maker('Sigmoid', () => ({ operation: 'sigmoid' })),
];

function maker(kernelName: string, read: (call: KernelCall) => Activation) {
  return kernelOrOriginal(kernelName, (kernels, call) => activate(kernels, call.inputs.x, read(call)));
}

function activate(
  kernels: KernelModule,
  x: TensorInfo | undefined,
  { operation, low = 0, high = 0 }: Activation,
): TensorInfo | undefined {
  const size = util.sizeFromShape(x?.shape ?? []);
  if (x?.dtype !== 'float32' || size === 0) return undefined;
  const out = makeOutput(kernels.backend, x.shape, 'float32');
  const addresses = [x, out].map((info) => addressOf(kernels.backend, info));
  const { perTask, tasks } = shareValues(size);
  kernels.run(
    'activate',
    [operations[operation], ...addresses, size, perTask, real(low), real(high), ...exponential],
    tasks,
  );
  return out;
}
