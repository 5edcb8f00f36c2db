// Checks which layers tfjs can build: its own, those of this package, and those that the user has registered.
import { serialization } from '@tensorflow/tfjs-core';
import { constraints, initializers, layers, regularizers } from '@tensorflow/tfjs-layers';
import type { LayerSpec } from '../../core/graphs.ts';
import { TransferKitError } from '../../core/errors.ts';
import { classNameOf, isJsonObject, type Json } from '../../core/json.ts';

/**
 * Raises unless the class of a layer is registered, and its activation, and those of a layer that it wraps.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the layer, its class and how to register it.
 */
export function assertKnown({ name, path, className, config }: LayerSpec): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  if (!Object.hasOwn(classNameMap, className) || !isLayerClass(classNameMap[className]?.[0])) {
    throw unsupported(
      name,
      className,
      `expected layers that tfjs or transferkit knows, got '${name}' of class '${className}'. Register a tfjs layer of ` +
        `your own under that name (tf.serialization.registerClass, static className = '${className}'), or cut the base ` +
        'before it.',
    );
  }
  assertActivationKnown(name, className, config.activation);
  const inner = config.layer;
  if (isJsonObject(inner) && isJsonObject(inner.config)) {
    assertKnown({ name, path, className: classNameOf(inner.class_name), config: inner.config });
  }
}

/** Layers share their names with initialisers and activations: `Identity` is an initialiser of tfjs. */
function isLayerClass(registered: unknown): boolean {
  const prototype: unknown = typeof registered === 'function' ? registered.prototype : undefined;
  return typeof prototype === 'object' && prototype !== null && 'computeOutputShape' in prototype;
}

/** Layers of tfjs that are activations without weights, so that there is nothing to free. */
const activationLayers = /^(activation|elu|leakyrelu|relu|softmax|thresholdedrelu)$/i;

/** Names for which tfjs would create something other than an activation: an initialiser, or a layer with weights. */
const others: ReadonlySet<string> = new Set(
  [constraints, initializers, layers, regularizers].flatMap((each) =>
    Object.keys(each).map((name) => name.toLowerCase()),
  ),
);

function isActivation(className: string): boolean {
  return activationLayers.test(className) || !others.has(className.toLowerCase());
}

/** Layers that accept activations only by name. */
const namedActivations: ReadonlySet<string> = new Set(['DilatedDepthwiseConv2D', 'GroupedConv2D', 'GRUResetAfter']);

function assertActivationKnown(name: string, className: string, activation: Json | undefined): void {
  const isObject = isJsonObject(activation);
  const shown = isObject ? classNameOf(activation.class_name) : activation;
  if (typeof shown !== 'string' || className === 'ActivationOf') return;
  const lookedUp = isObject ? shown : camelCase(shown);
  const isTaken = !isObject || !namedActivations.has(className);
  if (
    isTaken &&
    isActivation(lookedUp) &&
    Object.hasOwn(serialization.SerializationMap.getMap().classNameMap, lookedUp)
  )
    return;
  throw unsupported(
    name,
    className,
    `expected activations that tfjs or transferkit knows, got '${shown}' in '${name}' (${className}). Register one ` +
      `of your own (tf.serialization.registerClass, static className = '${lookedUp}'), or cut the base before it.`,
  );
}

/** tfjs looks up activations in camelCase. */
function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function unsupported(layer: string, className: string, text: string): TransferKitError {
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layer, className });
}
