// Starts one backend by name, loading its package where the app has not, and says why when that fails.
import { engine, findBackendFactory, setBackend } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';
import { nearestNames } from '../../core/names.ts';
import type { BackendLoader } from '../../core/platform.ts';
import { quietly } from './quietly.ts';
import { startedBackend } from './startedBackend.ts';

/** The backend that has been set and has started, if there is one. */
export async function activeBackend(): Promise<string | undefined> {
  const name = setName();
  if (name === undefined) return undefined;
  if (startedBackend(name) === undefined) {
    // Set but not started yet. If it fails, tfjs tries the others that are registered, and throws if there are none.
    await engine()
      .ready()
      .catch(() => undefined);
  }
  const settled = setName();
  return settled !== undefined && startedBackend(settled) !== undefined ? settled : undefined;
}

/** The name that was set last; tfjs types it as always there, before that it is undefined or null. */
function setName(): string | undefined {
  const name: unknown = engine().backendName;
  return typeof name === 'string' ? name : undefined;
}

/** Sets a backend. Raises MissingPackage, or an error whose message is the reason. */
export async function startBackend(name: string, loaders: readonly BackendLoader[]): Promise<void> {
  if (startedBackend(name) === undefined && !isRegistered(name)) await load(name, loaders);
  if (await quietly(() => setBackend(name))) return;
  throw new Error(await failureOf(name));
}

async function load(name: string, loaders: readonly BackendLoader[]): Promise<void> {
  const loader = loaders.find((candidate) => candidate.name === name);
  if (loader === undefined) {
    const known = nearestNames(
      name,
      new Set([...loaders.map((candidate) => candidate.name), ...engine().backendNames()]),
    );
    throw new Error(`no backend of that name; known are ${known.join(', ') || 'none'}`);
  }
  try {
    await loader.load();
  } catch (error) {
    throw importFailure(loader.packageName, error);
  }
  if (!isRegistered(name)) throw new Error(`${loader.packageName} does not offer it in this environment`);
}

function isRegistered(name: string): boolean {
  const factory: unknown = findBackendFactory(name);
  return typeof factory === 'function';
}

/** tfjs prints why a backend did not start and keeps it to itself: try once more, to hear it. */
async function failureOf(name: string): Promise<string> {
  try {
    const instance = await findBackendFactory(name)();
    instance.dispose();
    return 'it did not start';
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
    return String(error);
  }
}
