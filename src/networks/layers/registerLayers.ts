// Registers the layers and activations of this package with tfjs.
import { serialization } from '@tensorflow/tfjs-core';
import { ActivationOf } from './activationOf.ts';
import { activationClasses } from './kerasActivations.ts';
import { Attention } from './attention.ts';
import { DilatedDepthwiseConv2D } from './dilatedDepthwiseConv2D.ts';
import { GlobalAveragePooling2DKeepDims, GlobalMaxPooling2DKeepDims } from './globalPooling.ts';
import { GroupedConv2D } from './groupedConv2D.ts';
import { GroupNormalization } from './groupNormalization.ts';
import { GRUResetAfter } from './gruResetAfter.ts';
import { MultiHeadAttention } from './multiHeadAttention.ts';
import { Normalization } from './normalization.ts';
import { HalfPixelResizing } from './resizing.ts';
import { AddConstant, CustomScaleLayer, LayerScale, MultiplyConstant } from './scaling.ts';

type Class = serialization.SerializableConstructor<serialization.Serializable>;

let made: readonly Class[] | undefined;

/** Created once, so that they can be distinguished from other classes with the same names. */
function ownClasses(): readonly Class[] {
  made ??= [
    ActivationOf,
    AddConstant,
    Attention,
    CustomScaleLayer,
    DilatedDepthwiseConv2D,
    GlobalAveragePooling2DKeepDims,
    GlobalMaxPooling2DKeepDims,
    GroupedConv2D,
    GroupNormalization,
    GRUResetAfter,
    HalfPixelResizing,
    LayerScale,
    MultiHeadAttention,
    MultiplyConstant,
    Normalization,
    ...activationClasses(),
  ];
  return made;
}

/**
 * Registers the layers and activations that tfjs lacks, under their names in saved models. After that,
 * `tf.loadLayersModel` can read everything that `save` writes. A name that is already registered stays unchanged: a
 * second call does nothing, and a class of your own takes precedence. `loadBase` and `load` call this function.
 *
 * @returns The names that are registered after the call: the layers, then the activations.
 *
 * @example
 * ```ts
 * import { loadLayersModel } from '@tensorflow/tfjs-layers';
 * import { registerLayers } from 'transferkit/layers';
 * registerLayers();
 * ```
 */
export function registerLayers(): readonly string[] {
  const { classNameMap } = serialization.SerializationMap.getMap();
  const classes = ownClasses();
  for (const each of classes) if (!(each.className in classNameMap)) serialization.registerClass(each);
  return classes.map(({ className }) => className);
}

/** Whether one of our names is registered with a class from elsewhere. */
export function isReplaced(className: string): boolean {
  const own = ownClasses().find((each) => each.className === className);
  return own !== undefined && serialization.SerializationMap.getMap().classNameMap[className]?.[0] !== own;
}
