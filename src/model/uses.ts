// Tracks which verbs use a trunk. Only one of them at a time may change it. Its memory is freed after the last of them.
import { assertAlive, assertBaseAlive } from './assertAlive.ts';
import { TransferKitError } from '../core/errors.ts';
import type { AnyModel, Base } from './model.ts';
import type { Trunk } from '../core/types.ts';

interface Use {
  /** Number of running verbs. */
  running: number;
  /** The running verb that changes the trunk. */
  changer: string | undefined;
  /** Frees the trunk. Set when it is disposed of. */
  free: (() => void) | undefined;
}

const uses = new WeakMap<Trunk, Use>();

/**
 * Runs a verb that reads a model. Another verb may change the model during the call.
 *
 * @throws TransferKitError `INVALID_OPTION` for a value that is no model; `DISPOSED`, also if the model is disposed of
 * during the call.
 */
export async function whileUsed<T>(model: AnyModel, work: () => Promise<T>): Promise<T> {
  assertAlive(model);
  const result = await hold(trunksOf(model), undefined, work);
  assertAlive(model);
  return result;
}

/**
 * {@link whileUsed} for verbs whose result does not need the model: the result is returned even if the model is
 * disposed of during the call.
 */
export async function whileCopied<T>(model: AnyModel, work: () => Promise<T>): Promise<T> {
  assertAlive(model);
  return hold(trunksOf(model), undefined, work);
}

/** {@link whileUsed} for a base. */
export async function whileBaseUsed<T>(base: Base, work: () => Promise<T>): Promise<T> {
  assertBaseAlive(base);
  const result = await hold([base.trunk], undefined, work);
  assertBaseAlive(base);
  return result;
}

/**
 * Runs a verb that changes models. Until it ends, no other verb may change them, their bases, or other models on these
 * bases.
 *
 * @throws TransferKitError the errors of {@link whileUsed}; `BUSY` if another verb is changing one of them.
 */
export async function whileChanged<T>(verb: string, models: readonly AnyModel[], work: () => Promise<T>): Promise<T> {
  for (const model of models) assertIdle(model);
  const result = await hold([...new Set(models.flatMap(trunksOf))], verb, work);
  for (const model of models) assertAlive(model);
  return result;
}

/**
 * Raises unless a model can be changed now.
 *
 * @throws TransferKitError `INVALID_OPTION` for a value that is no model, `DISPOSED`, `BUSY`.
 */
export function assertIdle(model: AnyModel): void {
  assertAlive(model);
  assertNoChanger('model', model.base.name, trunksOf(model));
}

/** {@link assertIdle} for a base. */
export function assertBaseIdle(base: Base): void {
  assertBaseAlive(base);
  assertNoChanger('base', base.name, [base.trunk]);
}

/** Frees a trunk that is disposed of: now, or after the last verb that uses it. */
export function freeWhenUnused(trunk: Trunk, free: () => void): void {
  const use = uses.get(trunk);
  if (use === undefined) free();
  else use.free = free;
}

function assertNoChanger(what: string, name: string, trunks: readonly Trunk[]): void {
  const changer = trunks.map((trunk) => uses.get(trunk)?.changer).find((each) => each !== undefined);
  if (changer === undefined) return;
  const text =
    `expected a ${what} that no other verb is changing, got '${name}' while ${changer} runs on it. Wait for that to end, ` +
    'or stop it with its signal.';
  throw new TransferKitError('BUSY', text, { name, changer });
}

/** Keeps trunks in memory while a function runs. */
async function hold<T>(trunks: readonly Trunk[], changer: string | undefined, work: () => Promise<T>): Promise<T> {
  for (const trunk of trunks) begin(trunk, changer);
  try {
    return await work();
  } finally {
    for (const trunk of trunks) end(trunk, changer);
  }
}

function begin(trunk: Trunk, changer: string | undefined): void {
  const use = uses.get(trunk) ?? { running: 0, changer: undefined, free: undefined };
  uses.set(trunk, use);
  use.running++;
  use.changer ??= changer;
}

function end(trunk: Trunk, changer: string | undefined): void {
  const use = uses.get(trunk);
  if (use === undefined) return;
  use.running--;
  if (changer !== undefined) use.changer = undefined;
  if (use.running > 0) return;
  uses.delete(trunk);
  use.free?.();
}

function trunksOf({ base, head }: AnyModel): Trunk[] {
  return [base.trunk, head.trunk];
}
