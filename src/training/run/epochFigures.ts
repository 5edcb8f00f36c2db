// Losses and accuracies of an epoch for the log.
import type { HeadPart } from '../../model/model.ts';
import type { EpochLog, HeadFigures } from '../../core/logs.ts';
import { ofHead, type Measurement } from '../../measure/measure.ts';
import type { Totals } from '../../measure/totals.ts';
import type { StartFigures } from '../state/watch.ts';

/** Figures of training, and of validation if there is any; those of named heads too. */
export function epochFigures(
  parts: readonly HeadPart[],
  training: ReturnType<Totals['figures']>,
  validation: Measurement | undefined,
): HeadFigures & Pick<EpochLog, 'heads' | 'gradientNorm'> {
  const { heads } = training;
  if (heads === undefined) return { ...training, ...figuresOf(validation) };
  const own = parts.map((part): [string, HeadFigures] => {
    const held = validation && ofHead(validation, parts, part);
    return [part.name, { ...(heads[part.name] ?? training), ...figuresOf(held) }];
  });
  return { ...training, ...figuresOf(validation), heads: Object.fromEntries(own) };
}

function figuresOf(validation: Measurement | undefined): Partial<StartFigures> {
  return validation === undefined ? {} : validationFigures(validation);
}

/** Figures of validation only. */
export function validationFigures({ loss, accuracy }: Measurement): StartFigures {
  return { validationLoss: loss, ...(accuracy === undefined ? {} : { validationAccuracy: accuracy }) };
}

/** The same figures, with those of training measured after the weights were trained. */
export function measuredFigures(
  parts: readonly HeadPart[],
  training: Measurement,
  validation: Measurement | undefined,
): HeadFigures & Pick<EpochLog, 'heads'> {
  const figures = ({ loss, accuracy }: Measurement, held: Measurement | undefined): HeadFigures => ({
    loss,
    ...(accuracy === undefined ? {} : { accuracy }),
    ...figuresOf(held),
  });
  const together = figures(training, validation);
  if (parts[0]?.name === '') return together;
  const own = parts.map((part): [string, HeadFigures] => {
    return [part.name, figures(ofHead(training, parts, part), validation && ofHead(validation, parts, part))];
  });
  return { ...together, heads: Object.fromEntries(own) };
}
