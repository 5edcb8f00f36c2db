// The verb useBackend: chooses a tfjs backend, adds missing kernels and checks it.
import { nameErrors } from './core/edge.ts';
import { platform } from '#platform';
import { chooseBackend, type ChosenBackend } from './engines/backends/chooseBackend.ts';
import type { ChoiceOptions } from './engines/backends/completion.ts';
import { chooseEngine, engineChoice, engineNames, type EngineName } from './core/engineChoice.ts';
import { TransferKitError } from './core/errors.ts';
import { inOrder } from './core/inOrder.ts';
import { assertOneOf, assertWhole, invalidOption } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { shown } from './core/shown.ts';

/** The active backend and engine, and the reason for the backend, as plain data. */
export interface BackendReport extends ChosenBackend {
  /** What runs the parts of networks that do not train. */
  readonly engine: EngineName;
}

/** Options of {@link useBackend}. */
export interface UseBackendOptions extends ChoiceOptions {
  /**
   * What runs the parts of networks that do not train: frozen prefixes in training, and the base in `evaluate`, `predict`,
   * `suggestCut`, `knn` and `nearestCentroid`. `'own'`: this package on the tfjs backend. `'onnxruntime'`: ONNX Runtime on the
   * processor, in Node with the package `onnxruntime-node`; 1.5 to 3 times faster on two cores. The values agree to within 1e-4 of the largest
   * one. Training itself always runs on the tfjs backend. A run that began with one engine is not resumed with another.
   * Default: the engine stays as it is, at first `'own'`.
   */
  readonly engine?: EngineName | undefined;
}

/**
 * Chooses the tfjs backend for all verbs, adds kernels that it lacks for training, and checks it once with a small
 * convolution and its gradients. The call is optional: every verb that needs a backend does the same without a
 * preference.
 *
 * A browser or a driver can take the graphics card away (WebGL context or WebGPU device lost). All running verbs then reject with
 * `BACKEND_LOST`, and so do later ones until `useBackend` is called again: it starts another backend, or the lost one anew.
 * Values in the memory of the card are lost; those that `save` has read from it are still there.
 *
 * @param preference - One name or several in order: `'wasm'` or `'cpu'` in Node, or `'webgpu'` with the
 * packages `webgpu` and `@tensorflow/tfjs-backend-webgpu`; `'webgpu'`, `'webgl'`, `'wasm'` or
 * `'cpu'` in a browser; or any that the app has registered with tfjs. Default: the backend that the app has already
 * set, else the platform's, in that order; `'wasm'` comes before `'webgpu'` and `'webgl'` where a page draws in software, and
 * before a `'webgl'` that computes with 16 bits, as on many phones.
 * @param options - See {@link UseBackendOptions}. On `wasm` the work is divided among threads. Default: in Node all
 * cores that the process may use, up to 16 (limits of a container are respected); in a browser the same if the page is
 * cross-origin isolated, else one. At most 64 are started. ONNX Runtime takes as many, but no more than there are cores.
 * The threads do not keep a process alive. Call `useBackend` again to change the options.
 * @returns The name of the backend, why it was chosen, which ones were tried before it, the kernels that were added,
 * the number of threads, and notes: why there are fewer threads than requested, that the backend is `cpu` although others
 * come before it, and that it computes with 16 bits, with which training may go wrong. The last two are also warnings on the
 * console, once, and in the `warnings` of training logs.
 * @throws TransferKitError `PACKAGE_MISSING` with the command that installs it, `BACKEND_UNAVAILABLE` with the reason
 * of each that was tried, `BACKEND_WRONG_RESULT`, `ENGINE_UNAVAILABLE` with the reason, `INVALID_OPTION`. After an error the
 * previous backend and the previous engine stay.
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
  return nameErrors('useBackend', () => {
    assertOptions(options, { threads: true, kernels: true, binary: true, fallback: true, engine: true });
    assertValues(options);
    const names = namesOf(preference);
    return oneAtATime(() => chooseBoth(names, options));
  });
}

/** The latest call wins, also if an earlier one has a package to load. */
const oneAtATime = inOrder();

/** The names in a preference. */
function namesOf(preference: unknown): readonly string[] | undefined {
  if (preference === undefined) return undefined;
  const names: readonly unknown[] = Array.isArray(preference) ? preference : [preference];
  const texts = names.flatMap((name) => (typeof name === 'string' && name !== '' ? [name] : []));
  if (texts.length > 0 && texts.length === names.length) return texts;
  const known = platform.backends.map(({ name }) => `'${name}'`).join(', ');
  throw new TransferKitError(
    'INVALID_OPTION',
    `expected the name of a backend or a list of names (${known}), got ${shown(preference)}.`,
    { preference },
  );
}

/** Chooses the backend, then the engine, whose package is loaded before. An error leaves both as they were. */
async function chooseBoth(names: readonly string[] | undefined, options: UseBackendOptions): Promise<BackendReport> {
  const { engine, threads } = options;
  if (engine === 'onnxruntime') await (await import('./networks/engines/loadOnnxRuntime.ts')).loadOnnxRuntime();
  const report = await chooseBackend(platform.backends, names, options);
  const before = engineChoice();
  const name = engine ?? before.name;
  chooseEngine({ name, threads: threads ?? before.threads });
  return { ...report, engine: name };
}

function assertValues({
  threads,
  kernels = true,
  binary = '/',
  fallback = true,
  engine = 'own',
}: UseBackendOptions): void {
  if (threads !== undefined) assertWhole('threads', threads, 1);
  for (const [option, value] of Object.entries({ kernels, fallback })) {
    if (typeof value !== 'boolean') throw invalidOption(`${option} to be true or false`, value);
  }
  assertOneOf('engine', engine, engineNames);
  const { address, integrity = '' }: { address: unknown; integrity?: unknown } =
    typeof binary === 'string' ? { address: binary } : binary;
  if (typeof binary === 'object') assertOptions(binary, { address: true, integrity: true }, { of: 'binary' });
  if (typeof address !== 'string' || address === '' || typeof integrity !== 'string') {
    throw invalidOption("binary to be an address, or { address, integrity: 'sha384-…' }", binary);
  }
}
