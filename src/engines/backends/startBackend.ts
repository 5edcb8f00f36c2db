// Starts one backend by name, imports its package if needed, and reports why that fails.
import { engine, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { importFailure } from '../../core/importFailure.ts';
import { nearestNames } from '../../core/names.ts';
import type { BackendLoader, BinaryAddress } from '../../core/platform.ts';
import { isLost } from './lostBackend.ts';
import { quietly } from './quietly.ts';
import { startedBackend } from './startedBackend.ts';

/** Returns the backend that has been set, has started and is not lost, if any. */
export async function activeBackend(): Promise<string | undefined> {
  const name = setName();
  if (name === undefined) return undefined;
  if (startedBackend(name) === undefined) {
    // It is set but not started yet. If it fails, tfjs tries the other registered ones, and throws if there are none.
    await engine()
      .ready()
      .catch(() => undefined);
  }
  const settled = setName();
  const instance = settled === undefined ? undefined : startedBackend(settled);
  return instance === undefined || isLost(instance) ? undefined : settled;
}

/**
 * Returns the name that was set last. The type of tfjs wrongly says that it is always defined; before that it is
 * undefined or null.
 */
function setName(): string | undefined {
  const name: unknown = engine().backendName;
  return typeof name === 'string' ? name : undefined;
}

/** Sets a backend. Raises MissingPackage, or an error whose message is the reason. */
export async function startBackend(
  name: string,
  loaders: readonly BackendLoader[],
  binary?: BinaryAddress,
): Promise<void> {
  removeLost(name);
  if (startedBackend(name) === undefined) await prepare(name, loaders, binary);
  if (await quietly(() => setBackend(name))) return;
  throw new Error(await failureOf(name));
}

/** Makes room for a new instance of a backend. Tensors of the lost one can still be disposed of. */
function removeLost(name: string): void {
  const instance = startedBackend(name);
  if (instance === undefined || !isLost(instance)) return;
  const entry = engine().registryFactory[name];
  removeBackend(name);
  if (entry !== undefined) registerBackend(name, entry.factory, entry.priority);
}

/** Loads a backend that has not started. One that the app has registered starts as the app intends where this fails. */
async function prepare(name: string, loaders: readonly BackendLoader[], binary?: BinaryAddress): Promise<void> {
  if (!isRegistered(name)) return load(name, loaders, binary);
  const loader = loaders.find((candidate) => candidate.name === name);
  if (loader?.starts === true) await loader.load(binary).catch(() => undefined);
}

async function load(name: string, loaders: readonly BackendLoader[], binary?: BinaryAddress): Promise<void> {
  const loader = loaders.find((candidate) => candidate.name === name);
  if (loader === undefined) {
    const known = nearestNames(
      name,
      new Set([...loaders.map((candidate) => candidate.name), ...engine().backendNames()]),
    );
    throw new Error(`no backend of that name; known are ${known.join(', ') || 'none'}`);
  }
  try {
    await loader.load(binary);
  } catch (error) {
    throw importFailure(loader.packageName, error);
  }
  if (!isRegistered(name)) throw new Error(`${loader.packageName} does not offer it in this environment`);
}

function isRegistered(name: string): boolean {
  const factory: unknown = findBackendFactory(name);
  return typeof factory === 'function';
}

/** tfjs prints why a backend did not start but does not return it: start it once more to get the reason. */
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
