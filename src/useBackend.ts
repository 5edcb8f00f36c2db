// The verb useBackend: chooses, completes and checks a tfjs backend.
import { platform } from '#platform';
import { chooseBackend, type BackendReport } from './backends/chooseBackend.ts';
import { TransferKitError } from './core/errors.ts';

export type { BackendReport } from './backends/chooseBackend.ts';

/**
 * Chooses the tfjs backend that everything runs on, adds the kernels that it lacks for training, and checks it once with
 * a small convolution and its gradients. Optional: every verb that needs a backend does the same without a preference.
 *
 * @param preference - One name or several in order: `'wasm'` or `'cpu'` in Node; `'webgpu'`, `'webgl'`, `'wasm'` or
 * `'cpu'` in a browser; or any that the app has registered with tfjs. Default: the backend that the app has already set,
 * else the platform's, in that order.
 * @returns Which backend, why, what was tried before it, and which kernels were added.
 * @throws TransferKitError `PACKAGE_MISSING` with the command that installs it, `BACKEND_UNAVAILABLE` with the reason of
 * each that was tried, `BACKEND_WRONG_RESULT`, `INVALID_OPTION`. The backend that was active before stays so.
 *
 * @example
 * ```ts
 * import { useBackend } from 'transferkit';
 * const { name, why } = await useBackend(['wasm', 'cpu']);
 * console.log(name, why); // wasm the first of those asked for: wasm, cpu
 * ```
 */
export async function useBackend(preference?: string | readonly string[]): Promise<BackendReport> {
  if (preference === undefined) return chooseBackend(platform.backends);
  const names = typeof preference === 'string' ? [preference] : preference;
  if (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')) {
    return chooseBackend(platform.backends, names);
  }
  const known = platform.backends.map(({ name }) => `'${name}'`).join(', ');
  throw new TransferKitError(
    'INVALID_OPTION',
    `useBackend: expected the name of a backend or a list of names (${known}), got ${JSON.stringify(preference)}.`,
    { preference },
  );
}
