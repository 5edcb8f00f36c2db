// The package onnxruntime-node.
import type { OnnxRuntime } from '../../core/onnxRuntime.ts';
import { importFailure } from '../../core/importFailure.ts';

/** Loads the package. Raises MissingPackage, or an error whose message is the reason. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  return importRuntime('onnxruntime-node');
}

/** Its name is a parameter, so that the sources compile where this package of 290 MB is not installed. */
async function importRuntime(packageName: string): Promise<OnnxRuntime> {
  try {
    // As the types of onnxruntime-common have it.
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ packageName)) as OnnxRuntime;
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes('onnxruntime_binding')) {
      const { platform, arch } = process;
      throw new Error(`the package ${packageName} has no binary for ${platform}-${arch}`, { cause });
    }
    throw importFailure(packageName, cause);
  }
}
