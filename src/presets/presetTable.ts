// The presets by name. Names and types derive from this table. A family is loaded when one of its names is first used.
import { TransferKitError } from '../core/errors.ts';
import { hasKey, keysOf, nearestNames } from '../core/names.ts';
import type { Preset } from './preset.ts';

type Family = () => Promise<{ readonly presets: readonly Preset[] }>;

const vgg: Family = () => import('./vgg.ts');
const resnet: Family = () => import('./resnet.ts');
const mobilenetV3: Family = () => import('./mobilenetV3.ts');
const densenet: Family = () => import('./densenet.ts');
const efficientnet: Family = () => import('./efficientnet.ts');
const efficientnetV2: Family = () => import('./efficientnetV2.ts');
const convnext: Family = () => import('./convnext.ts');

const families = {
  vgg16: vgg,
  vgg19: vgg,
  resnet50: resnet,
  resnet101: resnet,
  resnet152: resnet,
  resnet50v2: resnet,
  resnet101v2: resnet,
  resnet152v2: resnet,
  mobilenet: () => import('./mobilenet.ts'),
  mobilenet_v2: () => import('./mobilenetV2.ts'),
  mobilenet_v3_small: mobilenetV3,
  mobilenet_v3_large: mobilenetV3,
  inception_v3: () => import('./inceptionV3.ts'),
  inception_resnet_v2: () => import('./inceptionResnetV2.ts'),
  xception: () => import('./xception.ts'),
  densenet121: densenet,
  densenet169: densenet,
  densenet201: densenet,
  nasnet_mobile: () => import('./nasnet.ts'),
  efficientnet_b0: efficientnet,
  efficientnet_b1: efficientnet,
  efficientnet_b2: efficientnet,
  efficientnet_b3: efficientnet,
  efficientnet_b4: efficientnet,
  efficientnet_b5: efficientnet,
  efficientnet_b6: efficientnet,
  efficientnet_b7: efficientnet,
  efficientnet_v2_b0: efficientnetV2,
  efficientnet_v2_b1: efficientnetV2,
  efficientnet_v2_b2: efficientnetV2,
  efficientnet_v2_b3: efficientnetV2,
  efficientnet_v2_s: efficientnetV2,
  efficientnet_v2_m: efficientnetV2,
  convnext_tiny: convnext,
  convnext_small: convnext,
  convnext_base: convnext,
} as const satisfies Readonly<Record<string, Family>>;

/** Names of the published architectures that `loadBase` knows. */
export type PresetName = keyof typeof families;

/** Names of all presets. */
export function presetNames(): PresetName[] {
  return keysOf(families);
}

/** Whether a preset has this name. */
export function isPresetName(name: string): name is PresetName {
  return hasKey(families, name);
}

/**
 * Loads the description of a preset.
 *
 * @throws TransferKitError `NOT_FOUND` for a name that no preset has.
 */
export async function findPreset(name: string): Promise<Preset> {
  const preset = isPresetName(name)
    ? (await families[name]()).presets.find((candidate) => candidate.name === name)
    : undefined;
  if (preset !== undefined) return preset;
  const nearest = nearestNames(name, presetNames(), 5);
  const text = `expected the name of a preset, got '${name}'. Nearest: ${nearest.join(', ')}.`;
  throw new TransferKitError('NOT_FOUND', text, { name, nearest });
}
