// Which layers tfjs can build: its own, ours, and those that the user has registered.
import { serialization } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { LayerSpec } from './layerGraph.ts';

/**
 * Asserts that the class of a layer is registered, its activation too.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layer, its class and how to supply it.
 */
export function assertKnown({ name, className, config }: LayerSpec): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  if (!(className in classNameMap)) {
    throw unsupported(
      name,
      className,
      `expected layers that tfjs or transferkit knows, got '${name}' of class '${className}'. Register a tfjs layer of ` +
        `your own under that name (tf.serialization.registerClass, static className = '${className}'), or cut the base ` +
        'before it.',
    );
  }
  const { activation } = config;
  if (typeof activation !== 'string' || className === 'ActivationOf' || camelCase(activation) in classNameMap) return;
  throw unsupported(
    name,
    className,
    `expected activations that tfjs or transferkit knows, got '${activation}' in '${name}' (${className}). Register one ` +
      `of your own (tf.serialization.registerClass, static className = '${camelCase(activation)}'), or cut the base before it.`,
  );
}

/** tfjs looks activations up in camelCase. */
function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function unsupported(layer: string, className: string, text: string): TransferKitError {
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layer, className });
}
