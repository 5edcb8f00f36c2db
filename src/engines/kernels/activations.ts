// Functions of single values: clips (relu and relu6 among them), steps and the logistic function.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { functionNumbers, isFunctionName, type FunctionName } from './functionConstants.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import { shareValues } from './shareWork.ts';
import { addressOf, makeOutput } from './wasmHeap.ts';

/** Numbers of the operations in assembly/activation.ts. Those of functions begin after them. */
const operations = { clip: 0, step: 1 } as const;

/** A function with its parameters: the bounds of a clip, the values of a step below and above 0. */
interface Activation {
  readonly operation: keyof typeof operations | FunctionName;
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
  // A kernel of this package (networks/run/functionActivation.ts).
  maker('TransferkitActivation', ({ attrs }) => {
    const name = attrs?.activation;
    return isFunctionName(name) ? { operation: name } : undefined;
  }),
];

function maker(kernelName: string, read: (call: KernelCall) => Activation | undefined) {
  return kernelOrOriginal(kernelName, (kernels, call) => {
    const activation = read(call);
    return activation && activate(kernels, call.inputs.x, activation);
  });
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
  const number = isFunctionName(operation) ? 1 + functionNumbers[operation] : operations[operation];
  kernels.run('activate', [number, ...addresses, size, perTask, real(low), real(high)], tasks);
  return out;
}
