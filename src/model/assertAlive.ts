// Checks that a model or a base can be used. Callers without TypeScript may pass any value.
import { TransferKitError } from '../core/errors.ts';
import { kindOf } from '../core/shown.ts';
import type { AnyModel, Base } from './model.ts';

/**
 * Raises unless a value is a model that can be used.
 *
 * @throws TransferKitError `INVALID_OPTION`, `DISPOSED`.
 */
export function assertAlive(model: AnyModel): void {
  const given: unknown = model;
  if (!has(given, 'base') || !has(given, 'head')) throw noModel(given);
  const { base, head } = model;
  if (base.trunk.disposed || head.trunk.disposed) throw disposed('model', base.name, 'Load or build it again.');
}

/**
 * Raises unless a value is a base that can be used.
 *
 * @throws TransferKitError `INVALID_OPTION`, `DISPOSED`.
 */
export function assertBaseAlive(base: Base): void {
  const given: unknown = base;
  if (!has(given, 'trunk')) throw noBase(given);
  if (base.trunk.disposed) throw disposed('base', base.name, 'Load it again.');
}

function has(value: unknown, name: string): value is object {
  return typeof value === 'object' && value !== null && name in value;
}

function noModel(given: unknown): TransferKitError {
  const [found, advice] = has(given, 'trunk')
    ? ['a base', ' Give the base a head: replaceHead(base, { labels }).']
    : [nameOf(given, 'base and head'), ''];
  const text = `expected a model, as replaceHead and load make it, got ${found}.${advice}`;
  return new TransferKitError('INVALID_OPTION', text, { found });
}

function noBase(given: unknown): TransferKitError {
  const [found, advice] = has(given, 'base')
    ? ['a model', ' Give its base: model.base.']
    : [nameOf(given, 'a trunk'), ''];
  const text = `expected a base, as loadBase makes it, got ${found}.${advice}`;
  return new TransferKitError('INVALID_OPTION', text, { found });
}

function nameOf(value: unknown, missing: string): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' ? kindOf(value, `an object without ${missing}`) : String(value);
}

function disposed(what: string, name: string, advice: string): TransferKitError {
  const text = `expected a usable ${what}, got '${name}' after its dispose(). ${advice}`;
  return new TransferKitError('DISPOSED', text, { name });
}
