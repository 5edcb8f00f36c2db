// The only error class of this package. Its text says what was expected, what came and what to do; its facts are
// fields.

import type { ErrorCode, ErrorDetails } from './errorDetails.ts';
import { withShortValues } from './shown.ts';

/** An error with a known code, and therefore with typed facts. */
export type TransferKitErrorOf<Code extends ErrorCode> = Omit<TransferKitError, 'code' | 'details'> & {
  readonly code: Code;
  readonly details: ErrorDetails[Code];
};

/** Each code takes the facts that it may have. */
type Facts = {
  [Code in ErrorCode]: [code: Code, message: string, details?: ErrorDetails[Code], cause?: unknown];
}[ErrorCode];

const brand = Symbol.for('transferkit.error');

/** The beginning of every text. */
const begin = '[transferkit] ';

/**
 * The class of every error that transferkit raises. `code` names the kind, `details` holds the facts that the text was
 * built from, `raisedBy` names the function that raised it. The text shows at most 200 characters of any value.
 *
 * @example
 * ```ts
 * import { TransferKitError } from 'transferkit';
 * const error = new TransferKitError('NOT_FOUND', 'expected a model, found nothing.', { path: 'model.json' });
 * error.code; // 'NOT_FOUND'
 * ```
 */
export class TransferKitError extends Error {
  override readonly name = 'TransferKitError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  /**
   * Name of the public function that raised the error, such as `fineTune`, `samples.split` or `knn.add`: the innermost
   * one, if a callback of one function calls another. The text begins with it. Undefined for an error that no function
   * of transferkit has raised: one that is handed to a callback, or comes from a method of a trunk that you call.
   */
  readonly raisedBy?: string;

  constructor(...[code, message, details, cause]: Facts) {
    super(`${begin}${withShortValues(message)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Returns whether a value is an error of transferkit, even one raised by another copy of the package.
 *
 * @example
 * ```ts
 * import { isTransferKitError } from 'transferkit';
 * isTransferKitError(new Error('other')); // false
 * ```
 */
export function isTransferKitError(value: unknown): value is TransferKitError;
/**
 * Returns whether a value is an error of transferkit with this code. Its `details` then have the type of the code.
 *
 * @param code - The code to accept. Errors of other codes give `false`.
 */
export function isTransferKitError<Code extends ErrorCode>(
  value: unknown,
  code: Code,
): value is TransferKitErrorOf<Code>;
export function isTransferKitError(value: unknown, code?: ErrorCode): boolean {
  if (typeof value !== 'object' || value === null || !(brand in value)) return false;
  return code === undefined || ('code' in value && value.code === code);
}

/**
 * Puts words before the text of an error, in its stack too, and sets fields. The error stays the same object, as it may
 * be the cause of another one.
 */
export function prefixError(error: TransferKitError, words: string, fields: { readonly raisedBy?: string } = {}): void {
  const { message, stack } = error;
  const text = `${begin}${words}: ${message.slice(begin.length)}`;
  Object.assign(error, { message: text }, fields);
  // The stack of some engines begins with the text.
  if (stack !== undefined) Object.assign(error, { stack: stack.replace(message, () => text) });
}

/** The text of an error as a part of another text: without the words that begin each text of this package. */
export function reasonOf(error: unknown): string {
  if (!isTransferKitError(error)) return error instanceof Error ? error.message : String(error);
  const { message, raisedBy } = error;
  return message.slice(begin.length + (raisedBy === undefined ? 0 : `${raisedBy}: `.length));
}

/** An error about something that should be impossible. */
export function internalError(what: string, cause?: unknown): TransferKitError {
  const text = `${what}. This is a fault of transferkit: please report it with this text and the stack.`;
  return new TransferKitError('INTERNAL', text, {}, cause);
}

/** Makes an error again from its fields, as another thread sent them. */
export function restoreError(
  fields: { readonly code: string; readonly details: unknown; readonly raisedBy: string | undefined },
  message: string,
  cause: unknown,
): TransferKitError {
  const error = new TransferKitError('INTERNAL', '', {}, cause);
  const { code, details, raisedBy } = fields;
  return Object.assign(error, { message, code, details }, raisedBy === undefined ? {} : { raisedBy });
}
