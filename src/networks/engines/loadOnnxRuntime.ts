// Loads ONNX Runtime, which is an optional package.
import { platform } from '#platform';
import { TransferKitError } from '../../core/errors.ts';
import { MissingPackage } from '../../core/importFailure.ts';
import type { OnnxRuntime } from '../../core/onnxRuntime.ts';

/**
 * Loads the package.
 *
 * @throws TransferKitError `PACKAGE_MISSING` with the command that installs it, `ENGINE_UNAVAILABLE` with the reason.
 */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  if (platform.onnxRuntime === undefined) throw unavailable('it runs in Node, not in a page', undefined);
  try {
    return await platform.onnxRuntime();
  } catch (cause) {
    if (!(cause instanceof MissingPackage))
      throw unavailable(cause instanceof Error ? cause.message : String(cause), cause);
    const { packageName } = cause;
    const text =
      `expected the package ${packageName} for the engine 'onnxruntime', but it is not installed. ` +
      `Install it: npm install ${packageName} --ignore-scripts. (Its install script only fetches files for GPUs.)`;
    throw new TransferKitError('PACKAGE_MISSING', text, { packageName }, cause);
  }
}

function unavailable(reason: string, cause: unknown): TransferKitError {
  const text = `expected the engine 'onnxruntime' to start, but it did not: ${reason}. Use engine: 'own'.`;
  return new TransferKitError('ENGINE_UNAVAILABLE', text, { engine: 'onnxruntime', reason }, cause);
}
