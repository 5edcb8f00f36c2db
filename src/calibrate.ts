// The verb calibrate: fits one temperature per head, so that probabilities match how often predictions are right.
import { nameErrors, nameHead } from './core/edge.ts';
import { mul, scalar, tidy } from '@tensorflow/tfjs-core';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { TransferKitError } from './core/errors.ts';
import { ofHead as named } from './model/headParts.ts';
import type { AnyModel, HeadPart, Tasks, TransferModel } from './model/model.ts';
import { listTasks, tasks, type CalibratedTask, type TaskName } from './model/tasks/tasks.ts';
import type { Progress, Samples, TrunkWeight } from './core/types.ts';
import { logitLayer } from './heads/logitLayers.ts';
import { assertAlive } from './model/assertAlive.ts';
import { whileChanged } from './model/uses.ts';
import { settleHeadLoss } from './losses/headRules.ts';
import { judgeSamples } from './measure/judgeSamples.ts';
import { ofHead, type Measurement } from './measure/measure.ts';
import { assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import {
  calibrationFigures,
  fitTemperature,
  isCalibrated,
  type CalibratedPart,
  type CalibrationFigures,
} from './measure/logitTemperature.ts';

/** Options of {@link calibrate}. */
export interface CalibrateOptions {
  /** Examples run at once. Default 32. */
  readonly batchSize?: number;
  /** Called after every batch, and awaited. An error that it throws or rejects with rejects the verb. */
  readonly onProgress?: (progress: Progress) => unknown;
}

/** Result of `calibrate` for one head. */
export interface Calibration {
  /** Divisor of the logits: above 1 if the model was overconfident, below 1 if it was underconfident. */
  readonly temperature: number;
  readonly before: CalibrationFigures;
  readonly after: CalibrationFigures;
}

/** Result of `calibrate` for a task; for several heads a record of those whose task has probabilities. */
export type CalibrationOf<T extends TaskName | Tasks> = [T] extends [TaskName]
  ? Calibration
  : { readonly [Name in keyof T as T[Name] extends CalibratedTask ? Name : never]: Calibration };

/**
 * Calibrates a trained head: divides its logits by the temperature that minimises the cross-entropy on held-out
 * samples. Predicted labels stay the same; probabilities become calibrated on data like `samples`. The weights of the
 * last layer are divided by the temperature, so a saved model needs nothing more.
 *
 * Guo et al., "On Calibration of Modern Neural Networks", 2017. scikit-learn's
 * `CalibratedClassifierCV(method='temperature')` finds the same temperature.
 *
 * @param model - Any task but regression. Of several heads, those with probabilities are calibrated, each with its own
 * temperature. Thresholds of `tuneThresholds` are converted, so that they decide the same.
 * @param samples - Some hundreds of examples that training has not seen. On its training examples every model is
 * overconfident.
 * @param options - See {@link CalibrateOptions}.
 * @throws TransferKitError `UNSUPPORTED_LAYER` unless the head's last layer is a dense layer without activation and
 * constraint that no other head shares; `NOTHING_TO_TRAIN` for a frozen head; `TOO_FEW_EXAMPLES` if all samples are
 * predicted right; `INVALID_OPTION` for a regression or a model that is no better than chance; the errors of
 * `evaluate`; `BUSY` while another verb changes the model. After an error the model is unchanged.
 *
 * @example
 * ```ts
 * import { calibrate, fromArrays } from 'transferkit';
 * await trainHead(model, train, { epochs: 5 });
 * const heldOut = fromArrays({
 *   inputs: ['cat.jpg', 'dog.jpg', 'cat.jpg', 'dog.jpg', 'cat.jpg'],
 *   targets: ['cat', 'dog', 'cat', 'dog', 'dog'], // the last one is labelled wrongly
 * });
 * const { temperature, before, after } = await calibrate(model, heldOut);
 * console.log(temperature, before.loss, after.loss, after.expectedCalibrationError);
 * ```
 */
export async function calibrate<T extends TaskName | Tasks>(
  model: TransferModel<T>,
  samples: Samples,
  options?: CalibrateOptions,
): Promise<CalibrationOf<T>>;
export async function calibrate(
  model: AnyModel,
  samples: Samples,
  options: CalibrateOptions = {},
): Promise<Calibration | Readonly<Record<string, Calibration>>> {
  return nameErrors('calibrate', () => {
    assertOptions(options, { batchSize: true, onProgress: true });
    return whileChanged('calibrate', [model], () => calibrateNow(model, samples, options));
  });
}

async function calibrateNow(
  model: AnyModel,
  samples: Samples,
  { batchSize = 32, onProgress }: CalibrateOptions,
): Promise<Calibration | Readonly<Record<string, Calibration>>> {
  assertWhole('batchSize', batchSize, 1);
  const { parts } = model.head;
  const heads = parts.filter(isCalibrated).map((part) => ({ part, weights: dividableWeights(model, part) }));
  if (heads.length === 0) throw noTemperature(parts);
  await ensureBackend();
  const loss = settleHeadLoss(parts);
  const judged = await judgeSamples({ model, loss, batchSize, onProgress }, samples);
  const found = heads.map((each) => ({ ...each, calibration: fit(each.part, ofHead(judged, parts, each.part)) }));
  assertAlive(model);
  for (const { part, weights, calibration } of found) cool(part, weights, calibration.temperature);
  const [only] = found;
  if (only?.part.name === '') return only.calibration;
  return Object.fromEntries(found.map(({ part, calibration }) => [part.name, calibration]));
}

/** The weights of a head's last layer. Dividing them divides the logits. */
function dividableWeights({ head }: AnyModel, part: HeadPart): readonly TrunkWeight[] {
  const { name, className, isLinear, weights } = logitLayer(head, part);
  if (!isLinear) {
    throw new TransferKitError(
      'UNSUPPORTED_LAYER',
      `expected a head${named(part.name)} that ends in a dense layer of its own, without activation and constraint, got ` +
        `'${name}' (${className}). End it in layers.dense({ units }).`,
      { layer: name, className },
    );
  }
  if (weights.every(({ frozen }) => !frozen)) return weights;
  const text = `expected a head${named(part.name)} that may change, got one that is frozen. Call unfreeze(model, 'head').`;
  throw new TransferKitError('NOTHING_TO_TRAIN', text, { layer: name });
}

function fit(part: CalibratedPart, { judgements }: Measurement): Calibration {
  const temperature = nameHead(part.name, () => fitTemperature(part.task, judgements));
  const before = calibrationFigures(part.task, judgements);
  return { temperature, before, after: calibrationFigures(part.task, judgements, temperature) };
}

/** Divides the logits, and converts thresholds so that they decide the same. */
function cool(part: HeadPart, weights: readonly TrunkWeight[], temperature: number): void {
  for (const weight of weights) {
    tidy(() => {
      weight.write(mul(weight.variable, scalar(1 / temperature)));
    });
  }
  if (part.thresholds === undefined) return;
  part.thresholds = part.thresholds.map((threshold) => {
    const odds = (threshold / (1 - threshold)) ** (1 / temperature);
    return odds === Infinity ? 1 : odds / (1 + odds);
  });
}

function noTemperature(parts: readonly HeadPart[]): TransferKitError {
  const names = [...new Set(parts.map(({ task }) => task))];
  const reasons = names.map((name) => tasks[name].temperature).filter((reason) => typeof reason === 'string');
  const expected = listTasks(({ temperature }) => typeof temperature !== 'string');
  const text = `expected a model of task ${expected}, got '${names.join("', '")}'. ${reasons.join(' ')}`;
  return new TransferKitError('INVALID_OPTION', text, { tasks: names });
}
