// The options of `train`, and what they are for the training verbs.
import type { FineTuneOptions, Samples, TrainingOptions } from '../../index.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import type { OptionSpecs, ValuesOf } from './command.ts';
import { given } from './given.ts';

/** Options about the training itself. */
export const training = {
  unfreeze: {
    kind: 'text',
    placeholder: 'what',
    text: 'none (the head alone), all, norms, a number of last stages, or the first layer to train; default: by --effort',
  },
  effort: { kind: 'choice', choices: ['quick', 'standard', 'thorough'], text: 'time for better figures' },
  epochs: {
    kind: 'number',
    placeholder: 'n',
    text: 'default: by --effort; with --unfreeze none the head is solved for',
  },
  augment: {
    kind: 'choice',
    choices: ['none', 'light', 'standard', 'strong', 'trivial'],
    text: 'random changes of the pictures; default: by --effort',
  },
  validation: {
    kind: 'text',
    placeholder: 'share',
    text: 'share to hold out, auto or none; default: the part of this name, else auto (a tenth)',
  },
  'batch-size': { kind: 'number', placeholder: 'n', text: 'default 32' },
  'learning-rate': { kind: 'number', placeholder: 'x', text: 'highest learning rate' },
  balance: { kind: 'flag', text: 'give all labels the same weight' },
  'checkpoint-seconds': { kind: 'number', placeholder: 's', text: 'time between two checkpoints; default 30' },
  restart: { kind: 'flag', text: 'start from the beginning, and replace the checkpoint' },
} as const satisfies OptionSpecs;

type TrainingValues = ValuesOf<typeof training>;

/** What both training verbs take, without checkpoints. */
export function sharedTraining(
  { validation, augment, balance, epochs, ...values }: TrainingValues,
  validationSet: Samples | undefined,
): TrainingOptions & { readonly learningRate?: number } {
  return given({
    epochs,
    augment,
    batchSize: values['batch-size'],
    learningRate: values['learning-rate'],
    classWeights: balance ? ('balanced' as const) : undefined,
    validation: validation === undefined ? (validationSet ?? 'auto') : shareOf(validation),
  });
}

/** Where and when checkpoints are written, and whether training goes on from them. */
export function checkpointing(values: TrainingValues, folder: string): Pick<TrainingOptions, 'checkpoint' | 'resume'> {
  const every = { seconds: values['checkpoint-seconds'] ?? 30 };
  return { checkpoint: { to: folder, every }, resume: !values.restart };
}

/** The layers that `fineTune` unfreezes; undefined for its own choice. */
export function layersOf(unfreeze: string | undefined): FineTuneOptions['unfreeze'] {
  if (unfreeze === undefined || unfreeze === 'norms') return unfreeze;
  if (unfreeze === 'all') return 'base';
  return /^\d+$/.test(unfreeze) ? { lastStages: Number(unfreeze) } : { from: unfreeze };
}

/**
 * Raises for options that say nothing to the training of a head alone.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertCombination({ unfreeze, effort }: TrainingValues): void {
  if (unfreeze !== 'none' || effort === undefined) return;
  throw invalidOption('--effort without --unfreeze none', effort, 'both');
}

function shareOf(validation: string): number | 'auto' | false {
  if (validation === 'auto') return 'auto';
  if (validation === 'none') return false;
  const share = Number(validation);
  if (share > 0 && share < 1) return share;
  throw invalidOption('--validation to be a share above 0 and below 1, auto or none', validation);
}
