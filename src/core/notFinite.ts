// The error about features that are NaN or infinite.
import { TransferKitError } from './errors.ts';

/** Names the example that produced the features. */
export function notFinite(id: string): TransferKitError {
  const text = `expected finite features, got NaN or infinity for ${id}. Check that example and its preprocessing.`;
  return new TransferKitError('NOT_FINITE', text, { id });
}
