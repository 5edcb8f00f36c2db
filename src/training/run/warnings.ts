// Warnings about figures that cannot be trusted; logs and evaluations list each once.
import { ofHead } from '../../model/headParts.ts';
import type { AnyModel, HeadPart } from '../../model/model.ts';
import type { EpochLog } from '../../core/logs.ts';
import type { Samples } from '../../core/types.ts';
import { byHeads } from '../../model/headTargets.ts';
import { labelCounts } from '../../model/checkLabels.ts';
import { tasks } from '../../model/tasks/tasks.ts';

/** Number of examples of a label below which a warning is given. */
const fewest = { training: 10, validation: 5, evaluation: 5 } as const;

/** Maximum number of labels that a warning names. */
const mostNamed = 10;

/** The purpose of samples. */
export type Use = keyof typeof fewest;

/** A warning for labels with too few examples. */
export function fewExamples(model: AnyModel, samples: Samples, use: Use): string[] {
  return byHeads(model, samples).flatMap((head) => {
    const { part } = head;
    if (tasks[part.task].labelled === undefined) return [];
    const counts = labelCounts(head);
    const few = part.labels.flatMap((label, index) => {
      const count = counts[index] ?? 0;
      return count < fewest[use] ? [`${label} (${String(Math.floor(count))})`] : [];
    });
    if (few.length === 0) return [];
    const rest = few.length > mostNamed ? ` and ${String(few.length - mostNamed)} more labels` : '';
    const named = `${few.slice(0, mostNamed).join(', ')}${rest}${ofHead(part.name)}`;
    return [`Fewer than ${String(fewest[use])} ${use} examples of ${named}: add examples.`];
  });
}

/** A warning for examples of a measurement that the head was trained on. */
export function sharedExamples(count: number, use: Exclude<Use, 'training'>): string[] {
  if (count === 0) return [];
  const text =
    `${String(count)} of the ${use} examples are training examples too (the same input or id): the figures are too good. ` +
    'Hold examples out with samples.split, and give different examples different ids.';
  return [text];
}

/** A warning for a head that was never trained. */
export function untrained({ head }: AnyModel): string[] {
  return head.trained
    ? []
    : ['The head has never been trained: its predictions are chance. Call trainHead or fineTune.'];
}

/** A mean loss, and a share of right predictions where there are labels. */
interface Figures {
  readonly loss: number;
  readonly accuracy?: number | undefined;
}

/**
 * Warnings for figures that are no better than predictions from the label frequencies alone.
 *
 * @param isPlain - Whether the loss is the cross-entropy of the targets.
 */
export function noBetterThanChance(
  model: AnyModel,
  samples: Samples,
  figuresOf: (part: HeadPart) => Figures | undefined,
  isPlain: boolean,
): string[] {
  return byHeads(model, samples).flatMap((head) => {
    const { part } = head;
    const figures = figuresOf(part);
    const { labelled } = tasks[part.task];
    if (figures === undefined || labelled === undefined) return [];
    const shares = labelCounts(head).map((count) => count / head.samples.size);
    return [
      ...(isPlain ? lossAtChance(part, figures, labelled.chanceLoss(shares)) : []),
      ...(labelled.one === undefined ? [] : noBetterThanMostFrequent(part, figures, shares)),
    ];
  });
}

/** A loss must be at least one percent better than that of the label frequencies. */
function lossAtChance({ name }: HeadPart, { loss }: Figures, chance: number): string[] {
  if (chance === 0 || loss < 0.99 * chance) return [];
  const text =
    `The loss${ofHead(name)} is at chance: ${loss.toFixed(3)}, where the frequencies of the labels alone give ` +
    `${chance.toFixed(3)}. Train longer, with another learning rate, or check inputs and labels.`;
  return [text];
}

function noBetterThanMostFrequent(part: HeadPart, { accuracy }: Figures, shares: readonly number[]): string[] {
  const most = Math.max(...shares);
  // With a single label there is nothing to predict.
  if (accuracy === undefined || most >= 1 || accuracy > most + 1e-9) return [];
  const label = part.labels[shares.indexOf(most)] ?? '';
  const text =
    `The accuracy${ofHead(part.name)} (${accuracy.toFixed(3)}) is no better than that of always predicting the most ` +
    `frequent label, '${label}' (${most.toFixed(3)}).`;
  return [text];
}

/** Figures of one head in an epoch: of validation if there is one. */
export function lastFigures(epoch: EpochLog | undefined, { name }: HeadPart, validated: boolean): Figures | undefined {
  const own = name === '' ? epoch : epoch?.heads?.[name];
  if (own === undefined) return undefined;
  const [loss, accuracy] = validated ? [own.validationLoss, own.validationAccuracy] : [own.loss, own.accuracy];
  return loss === undefined ? undefined : { loss, accuracy };
}
