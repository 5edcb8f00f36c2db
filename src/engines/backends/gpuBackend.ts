// The parts of tfjs's backends for GPUs that are used: how their device is lost, and what they run. They are private
// members of tfjs's own types.
import type { BackendValues, DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** A backend whose device can be lost. */
export interface GpuBackend {
  readonly instance: GpuInstance;
  /** Why the device is lost; undefined while it is not. Once lost, it stays so. */
  readonly loss: () => string | undefined;
  /** Waits until a loss that has just happened is known. */
  readonly news: () => Promise<void>;
  /** Values of a tensor that lie on the host. */
  readonly hostValues: (dataId: object) => BackendValues | undefined;
  /** Replaces the function that runs a program. */
  replaceRun(replacement: (run: Run) => Run): void;
}

/** Runs a program of the GPU. The last arguments differ between the backends. */
type Run = (
  program: { readonly outputShape: number[] },
  inputs: TensorInfo[],
  type?: DataType,
  uniforms?: unknown,
  ...rest: unknown[]
) => TensorInfo;

interface GpuInstance extends KernelBackend {
  makeTensorInfo(shape: number[], type: DataType): TensorInfo;
  uploadToGPU(dataId: object): void;
  shouldExecuteOnCPU(inputs: TensorInfo[], limit?: number): boolean;
}

interface Store {
  has(dataId: object): boolean;
  get(dataId: object): { values?: BackendValues | null };
}

interface Fence {
  readonly query: unknown;
  readonly isFencePassed: () => boolean;
}

interface Webgl extends GpuInstance {
  readonly gpgpu: {
    readonly gl: { isContextLost(): boolean; readonly canvas: Pick<EventTarget, 'addEventListener'> };
    createFence(gl: unknown): Fence;
  };
  readonly texData: Store;
  runWebGLProgram: Run;
  convertAndCacheOnCPU(dataId: object, values?: BackendValues): BackendValues;
}

interface Webgpu extends GpuInstance {
  readonly device: { readonly lost: Promise<{ readonly reason?: string; readonly message: string }> };
  readonly tensorMap: Store;
  runWebGPUProgram: Run;
}

/** Returns a backend as one of a GPU; undefined for any other, or when its members differ. */
export function gpuBackendOf(instance: KernelBackend): GpuBackend | undefined {
  if (isWebgl(instance)) return webgl(instance);
  return isWebgpu(instance) ? webgpu(instance) : undefined;
}

function isWebgl(instance: KernelBackend): instance is Webgl {
  return hasMembers(instance, ['gpgpu', 'texData', 'runWebGLProgram', 'convertAndCacheOnCPU', ...shared]);
}

function isWebgpu(instance: KernelBackend): instance is Webgpu {
  return hasMembers(instance, ['device', 'tensorMap', 'runWebGPUProgram', ...shared]);
}

const shared = ['makeTensorInfo', 'uploadToGPU', 'shouldExecuteOnCPU'];

function hasMembers(instance: KernelBackend, names: readonly string[]): boolean {
  return names.every((name) => name in instance);
}

function webgl(instance: Webgl): GpuBackend {
  const { gpgpu, texData } = instance;
  let reason: string | undefined;
  const loss = (): string | undefined => (reason ??= gpgpu.gl.isContextLost() ? 'its WebGL context' : undefined);
  // Before the browser restores the context, which then has none of its memory.
  gpgpu.gl.canvas.addEventListener('webglcontextlost', () => (reason ??= 'its WebGL context'));
  endFences(instance, loss);
  return {
    instance,
    loss,
    news: () => Promise.resolve(),
    hostValues: (dataId) => hostValues(texData, dataId),
    replaceRun: (replacement) => {
      instance.runWebGLProgram = replacement(instance.runWebGLProgram.bind(instance));
    },
  };
}

/** tfjs polls a fence of a lost context for ever. Passed, it ends its read, and frees what waits for it. */
function endFences(instance: Webgl, loss: () => string | undefined): void {
  const { gpgpu } = instance;
  const createFence = gpgpu.createFence.bind(gpgpu);
  gpgpu.createFence = (gl) => {
    const fence = createFence(gl);
    return { ...fence, isFencePassed: () => loss() !== undefined || fence.isFencePassed() };
  };
  const cache = instance.convertAndCacheOnCPU.bind(instance);
  // What is read from a lost context is no value.
  instance.convertAndCacheOnCPU = (dataId, values) =>
    values !== undefined && loss() !== undefined ? values : cache(dataId, values);
}

/**
 * Milliseconds from a failed read to the news of the loss, at most: where programs are being compiled it takes more than 100.
 * Reads hardly fail for other reasons.
 */
const longestNews = 5000;

function webgpu(instance: Webgpu): GpuBackend {
  const { device, tensorMap } = instance;
  let reason: string | undefined;
  const lost = device.lost.then((info) => {
    reason = ['its WebGPU device', info.message].filter((text) => text !== '').join(': ');
  });
  return {
    instance,
    loss: () => reason,
    news: async () => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([lost, new Promise<void>((resolve) => (timer = setTimeout(resolve, longestNews)))]);
      clearTimeout(timer);
    },
    hostValues: (dataId) => hostValues(tensorMap, dataId),
    replaceRun: (replacement) => {
      instance.runWebGPUProgram = replacement(instance.runWebGPUProgram.bind(instance));
    },
  };
}

function hostValues(store: Store, dataId: object): BackendValues | undefined {
  return store.has(dataId) ? (store.get(dataId).values ?? undefined) : undefined;
}
