// The error for a picture whose bytes cannot be read.
import { base64AsPath } from './base64Text.ts';
import { isTransferKitError } from './errors.ts';
import { tooManyBytes, type SettledLimits } from './pictureLimits.ts';
import { shortAddress } from './platform.ts';

/** Returns the error of reading a location; replaces it where a text about pictures says more. */
export function readFailure(error: unknown, location: string, limits: SettledLimits): unknown {
  if (!isTransferKitError(error)) return error;
  if (error.code === 'NOT_FOUND') return base64AsPath(location, error) ?? error;
  // One example that is too large is treated like a damaged one: it can be skipped.
  return error.code === 'OUT_OF_RANGE'
    ? tooManyBytes(shortAddress(location), error.details.bytes ?? 'more', limits)
    : error;
}
