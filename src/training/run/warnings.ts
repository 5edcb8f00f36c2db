// What makes figures mean less than they seem to: listed in logs and evaluations, each once.
import { ofHead } from '../../model/headParts.ts';
import type { AnyModel, HeadPart } from '../../model/model.ts';
import type { EpochLog } from '../../core/logs.ts';
import type { Samples } from '../../core/types.ts';
import { byHeads } from '../../model/tasks/headTargets.ts';
import { labelCounts } from '../../model/tasks/checkLabels.ts';
import { tasks } from '../../model/tasks/tasks.ts';

/** Fewest examples of a label that say something. */
const fewest = { training: 10, validation: 5, evaluation: 5 } as const;

/** Labels that a warning names. */
const mostNamed = 10;

/** What samples are used for. */
export type Use = keyof typeof fewest;

/** Labels that have too few examples. */
export function fewExamples(model: AnyModel, samples: Samples, use: Use): string[] {
  return byHeads(use, model, samples).flatMap((head) => {
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

/** Examples that figures are measured on although the head was trained on them. */
export function sharedExamples(count: number, use: Exclude<Use, 'training'>): string[] {
  if (count === 0) return [];
  const text =
    `${String(count)} of the ${use} examples are training examples too (the same input or id): the figures are too good. ` +
    'Hold examples out by samples.split, and give different examples different ids.';
  return [text];
}

/** That a head has not learnt anything yet. */
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
 * Figures that are no better than those of somebody who knows only how many examples each label has.
 *
 * @param isPlain - Whether the loss is the cross-entropy of the targets.
 */
export function noBetterThanChance(
  model: AnyModel,
  samples: Samples,
  figuresOf: (part: HeadPart) => Figures | undefined,
  isPlain: boolean,
): string[] {
  return byHeads('warnings', model, samples).flatMap((head) => {
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

/** Losses that are less than one percent better than that of the shares count as no better. */
function lossAtChance({ name }: HeadPart, { loss }: Figures, chance: number): string[] {
  if (chance === 0 || loss < 0.99 * chance) return [];
  const text =
    `The loss${ofHead(name)} is at chance: ${loss.toFixed(3)}, where the frequencies of the labels alone give ` +
    `${chance.toFixed(3)}. Train longer, with another learning rate, or check inputs and labels.`;
  return [text];
}

function noBetterThanMostFrequent(part: HeadPart, { accuracy }: Figures, shares: readonly number[]): string[] {
  const most = Math.max(...shares);
  // Samples of one label have no other to tell it from.
  if (accuracy === undefined || most >= 1 || accuracy > most + 1e-9) return [];
  const label = part.labels[shares.indexOf(most)] ?? '';
  const text =
    `The accuracy${ofHead(part.name)} (${accuracy.toFixed(3)}) is no better than that of always predicting the most ` +
    `frequent label, '${label}' (${most.toFixed(3)}).`;
  return [text];
}

/** An epoch's figures of one head: of validation where there is one. */
export function lastFigures(epoch: EpochLog | undefined, { name }: HeadPart, validated: boolean): Figures | undefined {
  const own = name === '' ? epoch : epoch?.heads?.[name];
  if (own === undefined) return undefined;
  const [loss, accuracy] = validated ? [own.validationLoss, own.validationAccuracy] : [own.loss, own.accuracy];
  return loss === undefined ? undefined : { loss, accuracy };
}
