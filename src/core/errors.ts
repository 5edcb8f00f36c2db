// The one error of this package. Its text says what was expected, what came and what to do; its facts are fields.

import { withShortValues } from './shown.ts';

/** What went wrong, as a stable name that a program can switch on. */
export type ErrorCode =
  | 'BACKEND_UNAVAILABLE'
  | 'BACKEND_WRONG_RESULT'
  | 'PACKAGE_MISSING'
  | 'INVALID_OPTION'
  | 'NOT_FOUND'
  | 'NOT_TRUSTED'
  | 'NOT_A_MODEL'
  | 'UNSUPPORTED_SOURCE'
  | 'UNSUPPORTED_LAYER'
  | 'WEIGHTS_DAMAGED'
  | 'WEIGHTS_MISMATCH'
  | 'CHECKPOINT_MISMATCH'
  | 'EXAMPLES_MISMATCH'
  | 'UNKNOWN_LAYER'
  | 'UNKNOWN_LABEL'
  | 'UNKNOWN_EXAMPLE'
  | 'WRONG_SHAPE'
  | 'WRONG_DTYPE'
  | 'NOT_FINITE'
  | 'OUT_OF_RANGE'
  | 'PREPROCESSOR_UNKNOWN'
  | 'UNREADABLE'
  | 'NO_EXAMPLES'
  | 'TOO_FEW_CLASSES'
  | 'TOO_FEW_EXAMPLES'
  | 'CLASS_WITHOUT_EXAMPLES'
  | 'HEAD_WITHOUT_LOGITS'
  | 'NOTHING_TO_TRAIN'
  | 'LOSS_NOT_FINITE'
  | 'OUT_OF_MEMORY'
  | 'SAVE_FAILED'
  | 'BUSY'
  | 'BASE_SHARED'
  | 'DISPOSED'
  | 'ABORTED';

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

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(`[transferkit] ${withShortValues(message)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether a value is an error of transferkit, even one raised by another copy of the package.
 *
 * @example
 * ```ts
 * import { isTransferKitError } from 'transferkit';
 * isTransferKitError(new Error('other')); // false
 * ```
 */
export function isTransferKitError(value: unknown): value is TransferKitError {
  return typeof value === 'object' && value !== null && brand in value;
}
