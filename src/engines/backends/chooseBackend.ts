// Chooses the backend: the one that the app has set, or the first of a list that starts. Then completes and checks it.
import { setBackend } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../../core/errors.ts';
import { MissingPackage } from '../../core/importFailure.ts';
import { inOrder } from '../../core/inOrder.ts';
import type { BackendLoader, BinaryAddress } from '../../core/platform.ts';
import { completeBackend } from './completeBackend.ts';
import type { ChoiceOptions } from './completion.ts';
import { noteSlowBackend } from './slowBackend.ts';
import { activeBackend, startBackend } from './startBackend.ts';

/** The active backend and the reason for it, as plain data. */
export interface ChosenBackend {
  /** Name of the active backend, such as `'wasm'`. */
  readonly name: string;
  /** Why it was chosen, as text. */
  readonly why: string;
  /** Backends that were tried before, and why each did not start. */
  readonly tried: readonly { readonly name: string; readonly reason: string }[];
  /**
   * Kernels of this package that the backend uses: gradients that tfjs lacks for it, and faster replacements of its
   * own.
   */
  readonly registered: readonly string[];
  /** Number of threads that share the work on 'wasm'; 1 for other backends. */
  readonly threads: number;
  /** Reasons for fewer threads or kernels than requested, for `cpu`, and for not training on it; [] when there are none. */
  readonly notes: readonly string[];
}

interface Failure {
  readonly name: string;
  readonly error: unknown;
}

interface Reason {
  readonly name: string;
  readonly reason: string;
}

/** A second choice must wait, because tfjs would drop the first one's half-started backend. */
const oneAtATime = inOrder();

/**
 * Chooses, completes and checks a backend.
 *
 * @param loaders - The platform's backends, best first.
 * @param preference - Names in order. Without it a backend that is already set stays; otherwise the platform's order is
 * used.
 * @param options - Settings of wasm. Without them its current settings stay.
 * @throws TransferKitError `PACKAGE_MISSING`, `BACKEND_UNAVAILABLE`, `BACKEND_WRONG_RESULT`; the backend that was set
 * before is then active again.
 */
export function chooseBackend(
  loaders: readonly BackendLoader[],
  preference?: readonly string[],
  options?: ChoiceOptions,
): Promise<ChosenBackend> {
  return oneAtATime(() => choose(loaders, preference, options));
}

async function choose(
  loaders: readonly BackendLoader[],
  preference: readonly string[] | undefined,
  options: ChoiceOptions | undefined,
): Promise<ChosenBackend> {
  const active = await activeBackend();
  if (preference === undefined && active !== undefined) {
    return { name: active, why: 'it was already set', tried: [], ...(await completeBackend(kernelOptions(options))) };
  }
  try {
    return await firstThatStarts(loaders, preference, options);
  } catch (error) {
    if (active !== undefined) await setBackend(active);
    throw error;
  }
}

async function firstThatStarts(
  loaders: readonly BackendLoader[],
  preference: readonly string[] | undefined,
  options: ChoiceOptions = {},
): Promise<ChosenBackend> {
  const later: Reason[] = [];
  const failures: Failure[] = [];
  const usual = loaders.filter(
    ({ name, isOnlyAskedFor }) => isOnlyAskedFor !== true && (name !== 'cpu' || mayBeCpu(options)),
  );
  const names = preference ?? usual.map(({ name }) => name);
  for await (const name of preference ?? inPlatformOrder(usual, later)) {
    try {
      await startBackend(name, loaders, addressOf(options.binary));
    } catch (error) {
      failures.push({ name, error });
      continue;
    }
    const failed = failures.map((failure) => ({ name: failure.name, reason: reasonOf(failure.error) }));
    const tried = [...later.filter((each) => each.name !== name), ...failed];
    const why = whyOf(names, tried, preference !== undefined);
    const completion = await completeBackend(kernelOptions(options));
    const note = noteSlowBackend(name, failed);
    return { name, why, tried, ...completion, notes: [...completion.notes, ...(note === undefined ? [] : [note])] };
  }
  throw noneStarted(failures);
}

function mayBeCpu({ fallback = true }: ChoiceOptions): boolean {
  return fallback;
}

/**
 * The platform's order: what has a drawback here comes after the others, and cpu comes last, if at all. Each is looked at only when
 * those before it have not started.
 */
async function* inPlatformOrder(loaders: readonly BackendLoader[], later: Reason[]): AsyncGenerator<string> {
  const last = loaders.filter(({ name }) => name === 'cpu');
  for (const { name, drawback } of loaders.filter((loader) => loader.name !== 'cpu')) {
    // Where that cannot be found out, its start says why.
    const reason = await drawback?.().catch(() => undefined);
    if (reason === undefined) yield name;
    else later.push({ name, reason });
  }
  yield* [...later, ...last].map(({ name }) => name);
}

function addressOf(binary: ChoiceOptions['binary']): BinaryAddress | undefined {
  return typeof binary === 'string' ? { address: binary } : binary;
}

/** An object without settings leaves those of a running module unchanged. */
function kernelOptions({ threads, kernels }: ChoiceOptions = {}): ChoiceOptions {
  return { ...(threads !== undefined && { threads }), ...(kernels !== undefined && { kernels }) };
}

function whyOf(names: readonly string[], passed: readonly Reason[], isAskedFor: boolean): string {
  const place =
    passed.length === 0 ? 'first' : `first that started, after ${passed.map(({ name }) => name).join(', ')},`;
  return isAskedFor
    ? `the ${place} of those asked for: ${names.join(', ')}`
    : `the ${place} of this platform's: ${names.join(', ')}`;
}

function noneStarted(failures: readonly Failure[]): TransferKitError {
  const list = failures.map(({ name }) => `'${name}'`).join(', ');
  const tried = failures.map(({ name, error }) => ({ name, reason: reasonOf(error) }));
  const missing = failures.flatMap(({ error }) => (error instanceof MissingPackage ? [error.packageName] : []));
  const cause = failures[0]?.error;
  const [wanted] = missing;
  if (wanted !== undefined && missing.length === failures.length) {
    const text = `expected the package of a backend (${list}), but ${missing.join(', ')} cannot be found. `;
    return new TransferKitError(
      'PACKAGE_MISSING',
      `${text}Install it: npm install ${wanted}`,
      { packages: missing, tried },
      cause,
    );
  }
  const reasons = tried.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const text = `expected one of the backends ${list} to start, but none did (${reasons}). `;
  return new TransferKitError(
    'BACKEND_UNAVAILABLE',
    `${text}Name another, or install one: ${installHint}`,
    { tried },
    cause,
  );
}

const installHint = 'npm install @tensorflow/tfjs-backend-wasm';

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
