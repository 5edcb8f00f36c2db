// A convolution and its gradients with known results. Faulty drivers and incomplete backends give wrong numbers without
// an error; a network trained on them does not learn, and nothing shows why.
import { conv2d, dispose, getKernel, grads, tensor4d, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { quietly } from './quietly.ts';

/**
 * Whole numbers below 64, so that every backend, even one of half precision, is exact. Inputs come from formulas; the
 * results from the plain loops of test/engines/backends/reference.ts, which test/engines/backends/selfTest.test.ts
 * recomputes.
 */
export const selfTestNumbers = {
  input: Array.from({ length: 32 }, (_, n) => ((n * 7) % 5) - 2), // [1, 4, 4, 2]
  filter: Array.from({ length: 36 }, (_, n) => ((n * 5) % 7) - 3), // [3, 3, 2, 2]
  outputGradient: Array.from({ length: 8 }, (_, n) => ((n * 3) % 8) - 3), // [1, 2, 2, 2]
  known: {
    result: [10, -12, -8, -8, 8, -8, 9, 8],
    // prettier-ignore
    'gradient by the input': [
      9, 0, -9, 3, -19, 10, 7, 3, -3, 9, 0, -9, 8, -19, 4, 7, 11, -11, 16, -13, -12, 14, -14, -1, -3, 5, -8, 7, -16, 9, -4, -1,
    ],
    // prettier-ignore
    'gradient by the filter': [
      11, -6, -4, 12, -9, 0, 11, -2, -5, -8, 6, 0, 11, -2, -9, -4, 11, -6, -4, 12, -7, -4, 4, 4, -6, 4, -6, 0, 9, -4, -6, 2, 6,
      0, 0, 0,
    ],
  },
} as const;
type Part = keyof typeof selfTestNumbers.known;

/**
 * Computes a 3×3 convolution of stride 2 and its gradients on the active backend, and compares them with known numbers.
 *
 * @throws TransferKitError `BACKEND_WRONG_RESULT`; `BACKEND_UNAVAILABLE` if the backend cannot compute them.
 */
export async function selfTest(backendName: string): Promise<void> {
  const computed = await compute(backendName);
  for (const [part, expected] of Object.entries(selfTestNumbers.known)) {
    const wrong = expected.findIndex(
      (value, index) => !(Math.abs((computed[part as Part][index] ?? NaN) - value) < 0.01),
    );
    if (wrong >= 0) throw wrongResult(backendName, part, wrong, expected[wrong], computed[part as Part][wrong]);
  }
}

async function compute(backendName: string): Promise<Record<Part, ArrayLike<number>>> {
  // Checked first, because tfjs never frees saved tensors when a gradient throws.
  const missing = ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'].filter(
    (name) => !hasKernel(name, backendName),
  );
  if (missing.length > 0) throw cannotTrain(backendName, new Error(`it has no kernel ${missing.join(', ')}.`));
  let tensors: Tensor[] = [];
  try {
    tensors = await quietly(() => tidy(convolve));
    const [result = [], byInput = [], byFilter = []] = await Promise.all(tensors.map((tensor) => tensor.data()));
    return { result, 'gradient by the input': byInput, 'gradient by the filter': byFilter };
  } catch (cause) {
    throw cannotTrain(backendName, cause);
  } finally {
    dispose(tensors);
  }
}

function hasKernel(name: string, backendName: string): boolean {
  const kernel: unknown = getKernel(name, backendName);
  return kernel !== undefined;
}

function convolve(): Tensor[] {
  const x = tensor4d([...selfTestNumbers.input], [1, 4, 4, 2]);
  const filter = tensor4d([...selfTestNumbers.filter], [3, 3, 2, 2]);
  const dy = tensor4d([...selfTestNumbers.outputGradient], [1, 2, 2, 2]);
  const strided = (a: Tensor, b: Tensor): Tensor => conv2d(a as Tensor4D, b as Tensor4D, 2, 'same');
  return [strided(x, filter), ...grads(strided)([x, filter], dy)];
}

function wrongResult(
  name: string,
  part: string,
  index: number,
  expected: unknown,
  received: unknown,
): TransferKitError {
  return new TransferKitError(
    'BACKEND_WRONG_RESULT',
    `backend '${name}': expected ${String(expected)} as value ${index} of the ${part} of a small convolution, ` +
      `got ${String(received)}. Its numbers cannot be trusted on this machine; choose another, such as useBackend('cpu').`,
    { backend: name, part, index, expected, received },
  );
}

function cannotTrain(name: string, cause: unknown): TransferKitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TransferKitError(
    'BACKEND_UNAVAILABLE',
    `backend '${name}': expected it to compute a convolution and its gradients, but it failed: ${reason} ` +
      `Choose another, such as useBackend('cpu').`,
    { backend: name, reason },
    cause,
  );
}
