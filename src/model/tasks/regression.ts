// The task `regression`: numbers.
import { TransferKitError } from '../../core/errors.ts';
import { isNumbers } from '../../core/numericTarget.ts';
import { linear } from './activations.ts';
import { mismatch } from './labelTargets.ts';
import { regressionFigures, type RegressionFigures } from './metrics.ts';
import { squaredLoss } from './rowLosses.ts';
import type { TargetQuestion, Task } from './task.ts';

/** Figures of a head that predicts numbers: the mean over its outputs, and the figures of each output. */
export interface OutputsFigures extends RegressionFigures {
  readonly task: 'regression';
  readonly perOutput: readonly (RegressionFigures & { readonly output: string })[];
}

/** Numbers. The targets are numbers; the logits are the predicted values. */
export const regression = {
  name: 'regression',
  losses: ['meanSquaredError', 'meanAbsoluteError', 'huber'],
  rowLoss: squaredLoss,
  scalesTargets: true,
  activation: linear,
  unitsText: 'one label for each logit',
  units: (labels) => labels,
  labelsOf: (units) => units,
  endsIn: () => false,
  encode,
  outputs: (values) => Array.from(values),
  correct: () => undefined,
  predictions: ({ labels }, values) => labels.map((output, index) => ({ output, value: values[index] ?? NaN })),
  figures: ({ labels }, answers): OutputsFigures => {
    const perOutput = labels.map((output, index) => ({ output, ...regressionFigures(answers, index) }));
    const mean = (of: (figures: RegressionFigures) => number) =>
      perOutput.reduce((sum, each) => sum + of(each), 0) / perOutput.length;
    return {
      task: 'regression',
      perOutput,
      meanSquaredError: mean((each) => each.meanSquaredError),
      meanAbsoluteError: mean((each) => each.meanAbsoluteError),
      rSquared: mean((each) => each.rSquared),
    };
  },
  labelled: undefined,
  thresholds: 'Numbers have no probabilities.',
  temperature: 'Numbers have no probabilities.',
} as const satisfies Task<'regression'>;

function encode({ labels, target, id }: TargetQuestion): Float32Array {
  const values = typeof target === 'number' ? [target] : isNumbers(target) ? target : undefined;
  if (values?.length !== labels.length) throw mismatch(`${String(labels.length)} numbers`, target, id);
  // A value that is too large for float32 becomes infinite here.
  const row = Float32Array.from(values);
  if (row.every(Number.isFinite)) return row;
  const text = `expected targets that are finite in float32, got ${values.join(', ')} for ${id}. Scale them.`;
  throw new TransferKitError('NOT_FINITE', text, { id });
}
