// Starts the tfjs backends of a page.
import { env, setBackend } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';
import { shortAddress, type BinaryAddress } from '../../core/platform.ts';
import { carriedBinary, startFrom } from '../../engines/backends/tfjsWasm.ts';
import { hasWebgpu, softwareWebgl, softwareWebgpu, webgpuAdapter } from './softwareRenderer.ts';

/** Imports webgpu. Raises an error with the reason where the page cannot have it. */
export async function loadWebgpu(): Promise<void> {
  // Checked here because tfjs assumes that there is an adapter.
  if (!hasWebgpu()) throw new Error('this browser has no WebGPU here (it needs a recent browser and a secure page)');
  await importWebgpu();
  if ((await webgpuAdapter()) === null) throw new Error('this browser offers no WebGPU adapter on this machine');
}

/** Before anything is asked of the graphics card: without the package that would be in vain. */
async function importWebgpu(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-webgpu', cause);
  }
}

/** Why webgpu comes after others here; undefined where it does not. */
export async function drawbackOfWebgpu(): Promise<string | undefined> {
  if (!hasWebgpu()) return undefined;
  await importWebgpu();
  return softwareWebgpu();
}

/** Imports webgl. Raises an error with the reason where the page cannot have it. */
export async function loadWebgl(): Promise<void> {
  await importWebgl();
  if (env().getNumber('WEBGL_VERSION') === 0) throw new Error('this browser offers no WebGL on this machine');
}

async function importWebgl(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-webgl');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-webgl', cause);
  }
}

/** Why webgl comes after others here; undefined where it does not. */
export async function drawbackOfWebgl(): Promise<string | undefined> {
  await importWebgl();
  return softwareWebgl() ?? halfWebgl();
}

/** As tfjs decides it; undefined where there is no WebGL. */
function halfWebgl(): string | undefined {
  if (env().getNumber('WEBGL_VERSION') === 0 || env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) return undefined;
  return 'webgl computes with 16 bits on this device, with which training goes wrong; wasm has 32';
}

/** Imports wasm and starts it, with the binary that this package carries or with the user's. */
export async function loadWasm(binary?: BinaryAddress): Promise<void> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm').catch((cause: unknown) => {
    throw importFailure('@tensorflow/tfjs-backend-wasm', cause);
  });
  if (!(await env().getAsync('WASM_HAS_SIMD_SUPPORT'))) return; // tfjs looks for its other binary next to the page.
  const bytes = binary === undefined ? await carriedBinary(wasm.version_wasm) : await fetchBinary(binary);
  await startFrom(bytes, crossOriginIsolated, wasm, () => setBackend('wasm'));
}

async function fetchBinary({ address, integrity = '' }: BinaryAddress): Promise<Uint8Array> {
  const response = await fetch(address, { integrity });
  if (!response.ok) throw new Error(`${shortAddress(address)} answers with status ${String(response.status)}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Imports cpu. */
export async function loadCpu(): Promise<void> {
  try {
    await import('@tensorflow/tfjs-backend-cpu');
  } catch (cause) {
    throw importFailure('@tensorflow/tfjs-backend-cpu', cause);
  }
}
