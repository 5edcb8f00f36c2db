// The verb useBackend: chooses, completes and checks a tfjs backend.
import { platform } from '#platform';
import { chooseBackend, type BackendReport } from './engines/backends/chooseBackend.ts';
import type { KernelOptions } from './engines/backends/completion.ts';
import { TransferKitError } from './core/errors.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { shown } from './core/shown.ts';

export type { BackendReport } from './engines/backends/chooseBackend.ts';

/** Options of {@link useBackend}. */
export type UseBackendOptions = KernelOptions;

/**
 * Chooses the tfjs backend that everything runs on, adds the kernels that it lacks for training, and checks it once with
 * a small convolution and its gradients. Optional: every verb that needs a backend does the same without a preference.
 *
 * @param preference - One name or several in order: `'wasm'` or `'cpu'` in Node; `'webgpu'`, `'webgl'`, `'wasm'` or
 * `'cpu'` in a browser; or any that the app has registered with tfjs. Default: the backend that the app has already set,
 * else the platform's, in that order.
 * @param options - See {@link UseBackendOptions}. On `wasm` the work is shared among threads: in Node all cores that the
 * process may use (heeding a container's limits), in a browser those of a page that is cross-origin isolated, else one. The
 * threads never keep a process alive. May be called again to change them.
 * @returns Which backend, why, what was tried before it, which kernels were added, how many threads work, and why fewer
 * than asked for.
 * @throws TransferKitError `PACKAGE_MISSING` with the command that installs it, `BACKEND_UNAVAILABLE` with the reason of
 * each that was tried, `BACKEND_WRONG_RESULT`, `INVALID_OPTION`. The backend that was active before stays so.
 *
 * @example
 * ```ts
 * import { useBackend } from 'transferkit';
 * const { name, why, threads } = await useBackend(['wasm', 'cpu'], { threads: 2 });
 * console.log(name, why, threads); // wasm the first of those asked for: wasm, cpu 2
 * ```
 */
export async function useBackend(
  preference?: string | readonly string[],
  options: UseBackendOptions = {},
): Promise<BackendReport> {
  assertOptions('useBackend', options, { threads: true, kernels: true });
  assertValues(options);
  if (preference === undefined) return chooseBackend(platform.backends, undefined, options);
  const names = typeof preference === 'string' ? [preference] : preference;
  if (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')) {
    return chooseBackend(platform.backends, names, options);
  }
  const known = platform.backends.map(({ name }) => `'${name}'`).join(', ');
  throw new TransferKitError(
    'INVALID_OPTION',
    `useBackend: expected the name of a backend or a list of names (${known}), got ${shown(preference)}.`,
    { preference },
  );
}

function assertValues({ threads, kernels }: UseBackendOptions): void {
  if (threads !== undefined) assertWhole('useBackend', 'threads', threads, 1);
  if (kernels === undefined || typeof kernels === 'boolean') return;
  const text = `useBackend: expected kernels to be true or false, got ${shown(kernels)}.`;
  throw new TransferKitError('INVALID_OPTION', text, { kernels });
}
