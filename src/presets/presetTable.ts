// The presets by name. Each family is loaded when one of its names is asked for, and not before.
import { TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import type { Preset } from './preset.ts';

type Family = () => Promise<{ readonly presets: readonly Preset[] }>;

/** Names of the published architectures that `loadBase` knows. */
export type PresetName =
  | 'vgg16'
  | 'vgg19'
  | 'resnet50'
  | 'resnet101'
  | 'resnet152'
  | 'resnet50v2'
  | 'resnet101v2'
  | 'resnet152v2'
  | 'mobilenet'
  | 'mobilenet_v2'
  | 'mobilenet_v3_small'
  | 'mobilenet_v3_large';

const vgg: Family = () => import('./vgg.ts');
const resnet: Family = () => import('./resnet.ts');
const mobilenetV3: Family = () => import('./mobilenetV3.ts');

const families: Readonly<Record<PresetName, Family>> = {
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
};

/** Names of all presets. */
export const presetNames: readonly PresetName[] = Object.keys(families).filter(isPresetName);

/** Whether a preset has this name. */
export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(families, name);
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
  const nearest = nearestNames(name, presetNames, 5);
  const text = `loadBase: expected the name of a preset, got '${name}'. Nearest: ${nearest.join(', ')}.`;
  throw new TransferKitError('NOT_FOUND', text, { name, nearest });
}
