// The error about a picture that a browser cannot read.
import { TransferKitError } from '../../core/errors.ts';

/** Makes the error from the picture's name and the reason, an error or a part of a sentence. */
export function unreadable(name: string, cause: unknown, advice = 'Replace or remove it.'): TransferKitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const text = `expected a picture in ${name}, but ${reason.replace(/\.$/, '')}. ${advice}`;
  return new TransferKitError('UNREADABLE', text, { source: name, reason }, cause instanceof Error ? cause : undefined);
}
