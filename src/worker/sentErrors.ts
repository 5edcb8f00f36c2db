// Errors as plain data. Sent as they are, they would lose their class, their code and their details.
import { isTransferKitError, restoreError } from '../core/errors.ts';
import { isObject } from '../core/optionChecks.ts';
import { exceededBy } from '../core/exceededBy.ts';
import { shown } from '../core/shown.ts';

/** An error as it is sent. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: unknown;
  /** Number of the error on the side that sent it. */
  readonly thrown?: number;
  /** Number of the error on the side that gets it, where it comes from there. */
  readonly origin?: number;
  /** Fields of a TransferKitError. */
  readonly kit?: { readonly code: string; readonly details: unknown; readonly raisedBy: string | undefined };
}

/** Most levels and values of an error's facts. */
const mostLevels = 100;
const mostFacts = 1_000_000;

/** Most causes of causes that are sent. */
const mostCauses = 4;

/** Returns an error, or anything else that was thrown, as plain data. */
export function describeError(error: unknown, depth = 0): SentError {
  if (!(error instanceof Error)) {
    return {
      name: 'Error',
      message: typeof error === 'string' ? error : shown(error),
      stack: undefined,
      cause: undefined,
    };
  }
  const { name, message, stack, cause } = error;
  const hasCause = cause !== undefined && depth < mostCauses;
  return {
    ...{ name, message, stack, cause: hasCause ? describeError(cause, depth + 1) : undefined },
    ...(isTransferKitError(error) && {
      kit: { code: error.code, details: factsOf(error.details), raisedBy: error.raisedBy },
    }),
  };
}

/** Makes the error again. */
export function remakeError({ name, message, stack, cause, kit }: SentError): Error {
  const why = isObject(cause) ? { cause: remakeError(cause as SentError) } : {};
  const error = kit === undefined ? new Error(message, why) : restoreError(kit, message, why.cause);
  if (kit === undefined) Object.defineProperty(error, 'name', { value: name, configurable: true });
  return Object.assign(error, stack === undefined ? {} : { stack });
}

/** Facts that contain themselves, or thousands of others, are only described. */
function factsOf(details: object): unknown {
  if (exceededBy(details, mostLevels, mostFacts) === undefined) return plain(details);
  return Object.fromEntries(
    Object.entries(details).map(([key, each]) => [key, isObject(each) ? shown(each) : plain(each)]),
  );
}

/** Facts that can be sent: data as it is, anything else as text. */
function plain(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return shown(value);
  if (!isObject(value) || ArrayBuffer.isView(value) || value instanceof Date) return value;
  if (value instanceof Error) return describeError(value);
  if (Array.isArray(value)) return value.map(plain);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return shown(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
