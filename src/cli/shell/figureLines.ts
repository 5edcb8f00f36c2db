// Figures of an evaluation as lines of text.
import type { EvaluationOf, TaskName, Tasks } from '../../index.ts';
import { percent, textTable } from './textTable.ts';

/** What people read of an evaluation: the figures that its task has. */
export function figureLines(evaluation: EvaluationOf<TaskName> | EvaluationOf<Tasks>): string[] {
  return [
    ...('accuracy' in evaluation ? [`accuracy ${percent(evaluation.accuracy)}`] : []),
    `loss ${evaluation.loss.toFixed(4)}`,
    ...('perLabel' in evaluation ? ['', ...textTable(evaluation.perLabel.map((figures) => ({ ...figures })))] : []),
    ...('confusion' in evaluation ? ['', ...confusionLines(evaluation.labels, evaluation.confusion)] : []),
    ...('worst' in evaluation ? worstLines(evaluation.worst) : []),
  ];
}

function confusionLines(labels: readonly string[], confusion: readonly (readonly number[])[]): string[] {
  const rows = confusion.map((counts, actual) => ({
    'actual \\ predicted': labels[actual],
    ...Object.fromEntries(counts.map((count, predicted) => [labels[predicted] ?? '', count])),
  }));
  return textTable(rows);
}

function worstLines(
  worst: readonly { readonly id: string; readonly actual: string; readonly predicted: string }[],
): string[] {
  if (worst.length === 0) return [];
  return ['', 'worst mistakes:', ...worst.map(({ id, actual, predicted }) => `  ${id}: ${actual}, not ${predicted}`)];
}
