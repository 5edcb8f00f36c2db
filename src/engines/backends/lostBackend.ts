// Notices that the device of a GPU backend is lost (a WebGL context or a WebGPU device), and ends what waits for it: tfjs
// itself waits for ever, or gives wrong numbers.
import type { DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { gpuBackendOf, type GpuBackend } from './gpuBackend.ts';

/** Of each watched backend: why it is lost; undefined while it is not. */
const watched = new WeakMap<KernelBackend, () => string | undefined>();

/**
 * Watches a backend, from now on: if its device is lost, operations compute nothing, and every read of values that are not
 * on the host raises `BACKEND_LOST`. A second call does nothing, and neither does one for a backend without a GPU.
 *
 * @param name - Its name in tfjs.
 */
export function watchLoss(name: string, instance: KernelBackend): void {
  const backend = gpuBackendOf(instance);
  if (backend === undefined || watched.has(instance)) return;
  watched.set(instance, backend.loss);
  const error = (): TransferKitError => lostError(name, backend.loss() ?? 'unknown');
  guardReads(backend, error);
  guardOperations(backend);
}

/** Whether a backend is lost for good. Costs next to nothing. */
export function isLost(instance: KernelBackend): boolean {
  return watched.get(instance)?.() !== undefined;
}

/**
 * Does nothing for a backend that computes.
 *
 * @throws TransferKitError `BACKEND_LOST`.
 */
export function assertNotLost(name: string, instance: KernelBackend): void {
  const reason = watched.get(instance)?.();
  if (reason !== undefined) throw lostError(name, reason);
}

function lostError(backend: string, reason: string): TransferKitError {
  return new TransferKitError(
    'BACKEND_LOST',
    `expected the device of the backend '${backend}', but it was lost (${reason}), with all values in its memory. ` +
      `Start another backend, or this one again: useBackend('wasm'). Then load the model again; training goes on from its checkpoint.`,
    { backend, reason },
  );
}

function guardReads({ instance, hostValues, loss, news }: GpuBackend, error: () => TransferKitError): void {
  const read = instance.read.bind(instance);
  const readSync = instance.readSync.bind(instance);
  const isOut = (dataId: object): boolean => loss() !== undefined && hostValues(dataId) === undefined;
  instance.read = async (dataId) => {
    if (isOut(dataId)) throw error();
    const isOnHost = hostValues(dataId) !== undefined;
    try {
      const values = await read(dataId);
      if (isOnHost || loss() === undefined) return values;
    } catch (cause) {
      // A read fails shortly before the loss is known.
      await news();
      if (loss() === undefined) throw cause;
    }
    throw error();
  };
  instance.readSync = (dataId) => {
    if (isOut(dataId)) throw error();
    return readSync(dataId);
  };
}

/** Results without values, so that what runs comes to its next read, which ends it, and frees its tensors. */
function guardOperations(backend: GpuBackend): void {
  const { instance, loss } = backend;
  const isGone = (): boolean => loss() !== undefined;
  backend.replaceRun((run) => (program, inputs, type, uniforms, ...rest) => {
    const nothing = (): TensorInfo =>
      isTensorInfo(rest[0]) ? rest[0] : instance.makeTensorInfo(program.outputShape, typeOf(type, inputs));
    if (isGone()) return nothing();
    try {
      return run(program, inputs, type, uniforms, ...rest);
    } catch (error) {
      if (isGone()) return nothing();
      throw error;
    }
  });
  const upload = instance.uploadToGPU.bind(instance);
  const shouldExecuteOnCPU = instance.shouldExecuteOnCPU.bind(instance);
  instance.uploadToGPU = (dataId) => {
    if (!isGone()) upload(dataId);
  };
  // On the cpu tfjs expects values, which results without any lack.
  instance.shouldExecuteOnCPU = (...given) => !isGone() && shouldExecuteOnCPU(...given);
}

function typeOf(type: DataType | undefined, inputs: readonly TensorInfo[]): DataType {
  return type ?? inputs[0]?.dtype ?? 'float32';
}

/** On webgpu a program may write into a tensor that exists; on webgl the same argument is a boolean. */
function isTensorInfo(value: unknown): value is TensorInfo {
  return typeof value === 'object' && value !== null && 'dataId' in value;
}
