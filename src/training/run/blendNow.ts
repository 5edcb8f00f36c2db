// The work of blend: compares two models, and gives the first one weights between those of both.
import { differencesOf, listed } from '../../core/differences.ts';
import { TransferKitError } from '../../core/errors.ts';
import { jsonCopy, type JsonObject } from '../../core/json.ts';
import type { BlendLog } from '../../core/logs.ts';
import { assertWhole } from '../../core/optionChecks.ts';
import { describeShape } from '../../core/shapes.ts';
import type { TrunkWeight } from '../../core/types.ts';
import { ensureBackend } from '../../engines/backends/ensureBackend.ts';
import { settleHeadLoss } from '../../losses/headRules.ts';
import { judgeSamples } from '../../measure/judgeSamples.ts';
import { assertAlive } from '../../model/assertAlive.ts';
import { assertValidation } from '../../model/checkLabels.ts';
import type { AnyModel } from '../../model/model.ts';
import { assertOwned } from '../../model/owners.ts';
import { assertAlpha, type BlendOptions } from '../options/blendOptions.ts';
import { blendEnds, readEnds, type BlendEnds } from './blendWeights.ts';
import { fewExamples } from './warnings.ts';

/** Does the work of `blend` for a verb that already holds both models. */
export async function blendNow(model: AnyModel, before: AnyModel, options: BlendOptions): Promise<BlendLog> {
  const { alpha, validation, batchSize = 32, onProgress } = options;
  assertWhole('batchSize', batchSize, 1);
  if (alpha !== undefined) assertAlpha('alpha', alpha);
  if (alpha !== undefined && validation !== undefined) throw twoChoices();
  assertPair(model, before);
  if (validation !== undefined) assertValidation(model, validation);
  await ensureBackend();
  const ends = await readEnds(pairsOf(model, before));
  assertBlendable(model, ends);
  const assertBoth = () => {
    assertAlive(model);
    assertAlive(before);
  };
  assertBoth();
  const loss = settleHeadLoss(model.head.parts);
  const measure =
    validation &&
    (async () => {
      const judged = await judgeSamples({ model, loss, batchSize, onProgress }, validation);
      assertBoth();
      return judged;
    });
  const blended = await blendEnds(ends, alpha, measure, model.head.parts);
  const warnings = validation === undefined ? [] : fewExamples(model, validation, 'validation');
  return remember(model, { ...blended, ...(warnings.length === 0 ? {} : { warnings }) });
}

/** Adds a blend to the last log of a model. */
function remember(model: AnyModel, blended: BlendLog): BlendLog {
  const last = model.history.at(-1);
  if (last === undefined) throw withoutLog();
  const blend = last.blend === undefined ? blended : { ...blended, earlier: last.blend };
  model.history = [...model.history.slice(0, -1), { ...last, blend }];
  return blend;
}

/** @throws TransferKitError `INVALID_OPTION` unless two models are different, trained, and of the same architecture. */
function assertPair(model: AnyModel, before: AnyModel): void {
  if (model.head.trunk === before.head.trunk) {
    throw invalidPair('a model and the one before it', 'the same model twice. Save it after trainHead, and load that');
  }
  const differences = differencesOf(describe(model), describe(before));
  if (differences.length > 0) {
    const received = `two that differ in ${listed(differences)}`;
    throw invalidPair('two models of the same network and labels', received, { differences: differences.slice(0, 10) });
  }
  const untrained = [model, before].findIndex(({ head }) => !head.trained);
  if (untrained >= 0) {
    const which = untrained === 0 ? 'a model' : 'a model before';
    throw invalidPair('trained heads', `${which} whose head was never trained. Call trainHead before fineTune`);
  }
  if (model.history.length === 0) throw withoutLog();
}

/** What two models must have in common, as plain data. */
function describe({ task, labels, base, head }: AnyModel): JsonObject {
  const weights = [...base.trunk.weights, ...head.trunk.weights];
  const layers = [base.trunk, head.trunk].flatMap((trunk) =>
    trunk.stages.flatMap((stage) =>
      stage.layers.map((name) => [name, trunk.describeLayer?.(name).kind ?? ''] as const),
    ),
  );
  return jsonCopy({
    task,
    labels,
    preprocessor: base.preprocessor.spec,
    cut: base.cut,
    layers: Object.fromEntries(layers),
    weights: Object.fromEntries(weights.map(({ name, shape }) => [name, describeShape(shape)])),
  });
}

/** The weights of a model, each with its value in the other one. */
function pairsOf(model: AnyModel, before: AnyModel) {
  return (['base', 'head'] as const).flatMap((part) => {
    const values = new Map(before[part].trunk.weights.map(({ name, variable }) => [name, variable]));
    return model[part].trunk.weights.flatMap((weight) => {
      const value = values.get(weight.name);
      return value === undefined ? [] : [[weight, value] as const];
    });
  });
}

/** @throws TransferKitError `INVALID_OPTION`, `BASE_SHARED` if a weight that differs may not be blended. */
function assertBlendable(model: AnyModel, ends: readonly BlendEnds[]): void {
  const weights = ends.map(({ weight }) => weight);
  const named = (list: readonly TrunkWeight[]) => ({ weights: list.map(({ name }) => name) });
  const statistics = weights.filter(({ kind, variable }) => kind === 'statistics' || variable.dtype !== 'float32');
  if (statistics.length > 0) {
    const received = `'${statistics[0]?.name ?? ''}' with other values, which cannot be blended. Fine-tune with batchNorm: 'inference'`;
    throw invalidPair('models with the same statistics of BatchNorm', received, named(statistics));
  }
  const frozen = weights.filter((weight) => weight.frozen);
  if (frozen.length > 0) {
    const received = `'${frozen[0]?.name ?? ''}', which is frozen and differs. Call unfreeze(model)`;
    throw invalidPair('frozen weights to be the same in both models', received, named(frozen));
  }
  assertOwned(model, weights);
}

function twoChoices(): TransferKitError {
  return invalidPair('alpha or validation, which chooses it', 'both. Leave one out');
}

function withoutLog(): TransferKitError {
  return invalidPair(
    'a model that was fine-tuned',
    'one without a log of training (model.history). Call fineTune first',
  );
}

function invalidPair(expected: string, received: string, details: Readonly<Record<string, unknown>> = {}) {
  return new TransferKitError('INVALID_OPTION', `expected ${expected}, got ${received}.`, details);
}
