// The error for a value that is no topology of a LayersModel, or a damaged one.
import { TransferKitError } from '../../core/errors.ts';

/**
 * Makes the error.
 *
 * @param found - Description of the value.
 */
export function notAModel(found: string): TransferKitError {
  const text = `expected the topology of a tfjs LayersModel (model.json with modelTopology), got ${found}.`;
  return new TransferKitError('NOT_A_MODEL', text, { found });
}
