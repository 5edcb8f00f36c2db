// The verb replaceHead: puts one or several new, untrained heads on a base.
import { nameErrors } from './core/edge.ts';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { TransferKitError } from './core/errors.ts';
import { layOut, ofHead } from './model/headParts.ts';
import type { AnyModel, Base, TransferModel } from './model/model.ts';
import type { TaskName, ValueTask } from './model/tasks/tasks.ts';
import { shown } from './core/shown.ts';
import { isObject } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { assertShareable } from './model/owners.ts';
import { assertBaseIdle } from './model/uses.ts';
import type { LayersTrunk, Shape } from './core/types.ts';
import { adoptHead } from './heads/adoptHead.ts';
import { buildHead, poolings, type HeadEnd, type HeadPlan, type Pooling } from './heads/buildHead.ts';
import { makeModel } from './model/makeModel.ts';
import { nameHeads } from './heads/nameHeads.ts';
import { nameOutputs } from './heads/nameOutputs.ts';

/** What a head predicts: its task, and its labels or outputs. */
export interface HeadQuestion<T extends TaskName = TaskName, Label extends string = string> {
  /** Task of the head. Default `'classes'`: one of the labels, by softmax. */
  readonly task?: T;
  /**
   * Labels, in the order of the head's outputs. `binary` takes two: that of logit < 0, then that of logit > 0.
   * `ordinal` takes them from the lowest to the highest.
   */
  readonly labels?: readonly Label[];
  /** `regression` only: number of values to predict, or their names. Default 1. */
  readonly outputs?: number | readonly Label[];
}

/** Layers of a head. */
export interface HeadLayers {
  /** Units of each hidden layer, from the features to the logits; with ReLU. Default none: the head is linear. */
  readonly hidden?: readonly number[];
  /** Dropout rate before each dense layer in training, from 0 to below 1. Default 0.2. */
  readonly dropout?: number;
  /** How feature maps become vectors; `'both'` joins average and maximum. Default `'average'`. */
  readonly pooling?: Pooling;
  /**
   * A custom head that gives logits; excludes `hidden`, `dropout` and `pooling`. The model owns it afterwards. For
   * several heads it has one output for each, from a layer with the head's name.
   */
  readonly model?: LayersModel;
  /** Seed of the initial weights, a whole number. Default 0. */
  readonly seed?: number;
}

/** Options of {@link replaceHead}. */
export interface HeadOptions<T extends TaskName = TaskName, Label extends string = string>
  extends HeadQuestion<T, Label>, HeadLayers {}

/** Tasks of labels have no `outputs`, a regression has no `labels`. */
export type Unmixed<T extends TaskName> = TaskName extends T
  ? unknown
  : T extends ValueTask
    ? { readonly labels?: never }
    : { readonly outputs?: never };

/** One head of several. */
export interface NamedHead<T extends TaskName = TaskName> extends HeadQuestion<T> {
  /** Units of its own hidden layers, after the shared ones. Default none. */
  readonly hidden?: readonly number[];
}

/** Options of {@link replaceHead} for several heads: their layers are shared, except where a head has its own. */
export interface SeveralHeadsOptions<Heads extends Readonly<Record<string, NamedHead>>> extends HeadLayers {
  /**
   * Heads by name. Names consist of letters, digits, `_`, `-` and `.`, and differ from the names of the base's layers.
   */
  readonly heads: Heads;
}

/** Tasks of a record of heads. */
export type TasksOf<Heads extends Readonly<Record<string, NamedHead>>> = {
  readonly [Name in keyof Heads]: Heads[Name] extends { readonly task: infer T extends TaskName }
    ? T
    : 'task' extends keyof Heads[Name]
      ? TaskName
      : 'classes';
};

/**
 * Puts several heads on a base, each with its own task on the same features. They are trained together, on samples
 * whose targets are records by head name. The loss is the sum of the heads' losses (see `lossWeights`).
 *
 * @param base - From `loadBase`. The model owns it afterwards: `model.dispose()` frees it. Several models may share a
 * base while all of it is frozen; the last of them frees it.
 * @param options - See {@link SeveralHeadsOptions}. A single named head gets the same initial weights as an unnamed
 * one.
 * @throws TransferKitError `INVALID_OPTION` (such as no heads, or an invalid name), `TOO_FEW_CLASSES`, `WRONG_SHAPE`,
 * `HEAD_WITHOUT_LOGITS`, `DISPOSED`, `BUSY` while a verb changes the base, `BASE_SHARED` if another model has unfrozen
 * it. After an error the base stays usable.
 *
 * @example
 * ```ts
 * const twoHeads = replaceHead(base, { heads: { kind: { labels: ['cat', 'dog'] }, age: { task: 'regression' } } });
 * console.log(twoHeads.labels.kind, twoHeads.head.task.age); // [ 'cat', 'dog' ] regression
 * ```
 */
export function replaceHead<Heads extends Readonly<Record<string, NamedHead>>>(
  base: Base,
  options: SeveralHeadsOptions<Heads>,
): TransferModel<TasksOf<Heads>>;
/**
 * Puts a new head on a base. Freezes the base; the head is not frozen.
 *
 * @param base - From `loadBase`. The model owns it afterwards: `model.dispose()` frees it. Several models may share a
 * base while all of it is frozen; the last of them frees it.
 * @param options - See {@link HeadOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `TOO_FEW_CLASSES`, `WRONG_SHAPE`, `HEAD_WITHOUT_LOGITS`, `DISPOSED`,
 * `BUSY` while a verb changes the base, `BASE_SHARED` if another model has unfrozen it. After an error the base stays
 * usable.
 *
 * @example
 * ```ts
 * const model = replaceHead(base, { labels: ['cat', 'dog'], hidden: [64], dropout: 0.3 });
 * console.log(model.labels); // [ 'cat', 'dog' ]
 *
 * const other = replaceHead(base, { task: 'regression' }); // on the same base, which stays frozen
 * other.dispose(); // `model` and the base stay
 * ```
 */
export function replaceHead<T extends TaskName = 'classes', const Label extends string = string>(
  base: Base,
  options: HeadOptions<T, Label> & Unmixed<T>,
): TransferModel<T, Label>;
export function replaceHead(base: Base, options: HeadOptions | AnySeveral): AnyModel {
  return nameErrors('replaceHead', () => {
    assertBaseIdle(base);
    assertNames(options);
    const taken = base.trunk.names;
    const answers = isSeveral(options) ? nameHeads(assertNoQuestion(options), taken) : [nameOutputs('', options)];
    const ends = answers.map(({ name, units }): HeadEnd => ({ name, units, hidden: ownHidden(options, name) }));
    const names = new Set([...taken, ...answers.map(({ name }) => name)]);
    const make = headMaker(base.trunk.output.shape, options, ends, names);
    assertShareable(base);
    const trunk = make();
    for (const weight of base.trunk.weights) weight.frozen = true;
    for (const weight of trunk.weights) weight.frozen = false;
    return makeModel(base, { parts: layOut(answers), trunk, trained: false });
  });
}

/** Checks the names of the options, and of each head's options. */
function assertNames(options: HeadOptions | AnySeveral): void {
  const layers = { hidden: true, dropout: true, pooling: true, model: true, seed: true } as const;
  const question = { task: true, labels: true, outputs: true } as const;
  const example = "{ labels: ['cat', 'dog'] }";
  assertOptions(options, { ...question, ...layers, heads: true }, { example });
  if (!isSeveral(options) || !isObject(options.heads) || Array.isArray(options.heads)) return;
  for (const [name, head] of Object.entries(options.heads)) {
    if (isObject(head)) assertOptions(head, { ...question, hidden: true }, { of: `head '${name}'`, example });
  }
}

type AnySeveral = SeveralHeadsOptions<Readonly<Record<string, NamedHead>>>;

function isSeveral(options: HeadOptions | AnySeveral): options is AnySeveral {
  return Reflect.get(options, 'heads') !== undefined;
}

/** The heads; raises if `task`, `labels` or `outputs` is given outside of them. */
function assertNoQuestion(options: AnySeveral): AnySeveral['heads'] {
  const asked = Object.entries(options)
    .filter(([name, value]) => ['task', 'labels', 'outputs'].includes(name) && value !== undefined)
    .map(([name]) => name);
  if (asked.length > 0) throw invalid('task, labels and outputs inside each of heads', asked.join(', '));
  return options.heads;
}

/** Validates the options of the head; the returned function builds it. */
function headMaker(
  features: Shape,
  options: HeadOptions | AnySeveral,
  ends: readonly HeadEnd[],
  names: ReadonlySet<string>,
): () => LayersTrunk {
  const { model } = options;
  if (model !== undefined) {
    assertAlone(options);
    return adoptHead(model, features, ends, names);
  }
  const plan = { ...checkPlan(options), ends };
  return () => buildHead(features, plan, names);
}

function ownHidden(options: HeadOptions | AnySeveral, name: string): readonly number[] {
  if (!isSeveral(options)) return [];
  const { hidden = [] } = options.heads[name] ?? {};
  if (options.model !== undefined && hidden.length > 0) throw invalid('no hidden layers together with model', hidden);
  assertHidden(hidden, ofHead(name));
  return hidden;
}

function assertHidden(hidden: readonly number[], whose: string): void {
  if (Array.isArray(hidden) && hidden.every((units) => Number.isInteger(units) && units > 0)) return;
  throw invalid(`hidden${whose} to list whole numbers above 0`, hidden);
}

function checkPlan({ hidden = [], dropout = 0.2, pooling, seed = 0 }: HeadLayers): Omit<HeadPlan, 'ends'> {
  assertHidden(hidden, '');
  if (!(dropout >= 0 && dropout < 1)) throw invalid('dropout to be at least 0 and below 1', dropout);
  if (!Number.isInteger(seed)) throw invalid('seed to be a whole number', seed);
  if (pooling !== undefined && !poolings.includes(pooling))
    throw invalid(`pooling to be one of ${poolings.join(', ')}`, pooling);
  return { hidden, dropout, pooling, seed };
}

function assertAlone({ hidden, dropout, pooling }: HeadLayers): void {
  const given = Object.entries({ hidden, dropout, pooling }).filter(([, value]) => value !== undefined);
  if (given.length > 0) throw invalid('no layer options together with model', given.map(([name]) => name).join(', '));
}

function invalid(expected: string, received: unknown): TransferKitError {
  const text = `expected ${expected}, got ${shown(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
