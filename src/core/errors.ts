// The one error of this package. Its text says what was expected, what came and what to do; its facts are fields.

import type { ErrorCode, ErrorDetails } from './errorDetails.ts';
import { withShortValues } from './shown.ts';

/** An error whose code is known, and with it the type of its facts. */
export type TransferKitErrorOf<Code extends ErrorCode> = Omit<TransferKitError, 'code' | 'details'> & {
  readonly code: Code;
  readonly details: ErrorDetails[Code];
};

/** Each code takes the facts that it may have. */
type Facts = {
  [Code in ErrorCode]: [code: Code, message: string, details?: ErrorDetails[Code], cause?: unknown];
}[ErrorCode];

const brand = Symbol.for('transferkit.error');

/**
 * Every error that transferkit raises. `code` names the kind, `details` holds the facts that the text was built from. Of a
 * value in the text no more than 200 characters are shown.
 *
 * @example
 * ```ts
 * import { TransferKitError } from 'transferkit';
 * const error = new TransferKitError('NOT_FOUND', 'loadBase: expected a model, found nothing.', { path: 'model.json' });
 * error.code; // 'NOT_FOUND'
 * ```
 */
export class TransferKitError extends Error {
  override readonly name = 'TransferKitError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(...[code, message, details, cause]: Facts) {
    super(`[transferkit] ${withShortValues(message)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether a value is an error of transferkit, even one raised by another copy of the package.
 *
 * @param code - Only errors of this code; their `details` have its type then.
 *
 * @example
 * ```ts
 * import { isTransferKitError } from 'transferkit';
 * isTransferKitError(new Error('other')); // false
 * ```
 */
export function isTransferKitError(value: unknown): value is TransferKitError;
export function isTransferKitError<Code extends ErrorCode>(
  value: unknown,
  code: Code,
): value is TransferKitErrorOf<Code>;
export function isTransferKitError(value: unknown, code?: ErrorCode): boolean {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false;
  return code === undefined || ('code' in value && value.code === code);
}

/** An error about what cannot happen. */
export function internalError(what: string, cause?: unknown): TransferKitError {
  const text = `${what}. This is a fault of transferkit: please report it with this text and the stack.`;
  return new TransferKitError('INTERNAL', text, {}, cause);
}
