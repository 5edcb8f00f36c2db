// Values of a worker that its page calls: bases, models, classifiers of examples.
import { disposal } from '../core/disposal.ts';
import { isObject } from '../core/optionChecks.ts';
import type { AnyModel, Base } from '../model/model.ts';
import type { ExampleClassifier } from '../neighbours/exampleClassifier.ts';
import type { CallMember, Kind } from './kind.ts';
import { hasMethod, methodsOf } from './methods.ts';

/** Bases. */
const bases: Kind = {
  name: 'base',
  isLasting: true,
  offer(value) {
    if (!isBase(value)) return undefined;
    const fields = () => {
      const { name, cut, notes, weightsReport } = value;
      return { name, cut, notes, ...(weightsReport && { weightsReport }) };
    };
    return { fields, isGone: () => value.trunk.disposed, members: methodsOf(value, ['summary', 'dispose']) };
  },
  standIn: (_, call) => ({ summary: () => call('summary', []), ...disposable(call) }),
};

/** Models. */
const models: Kind = {
  name: 'model',
  isLasting: true,
  offer(value) {
    if (!isModel(value)) return undefined;
    const fields = () => {
      const { task, labels, base, history, head } = value;
      return { task, labels, base, history, trained: head.trained };
    };
    const isGone = () => value.base.trunk.disposed || value.head.trunk.disposed;
    return { fields, isGone, members: methodsOf(value, ['dispose']) };
  },
  standIn: (_, call) => disposable(call),
};

/** Classifiers by `knn` and `nearestCentroid`. */
const classifiers: Kind = {
  name: 'classifier',
  isLasting: true,
  offer(value) {
    if (!isClassifier(value)) return undefined;
    const fields = () => {
      const { base, labels, classCounts, size, examples } = value;
      return { base, labels, classCounts, size, examples };
    };
    return { fields, members: methodsOf(value, [...classifierMethods, 'dispose']) };
  },
  standIn: (_, call) => ({
    ...Object.fromEntries(
      classifierMethods.map((name) => [name, (...args: readonly unknown[]) => call(name, args)] as const),
    ),
    ...disposable(call),
  }),
};

/** Kinds of values that a worker gives to its page. */
export const workerKinds: readonly Kind[] = [bases, models, classifiers];

const classifierMethods = ['add', 'addAll', 'remove', 'predict', 'toJSON'] as const;

/** The end of a stand-in. Calls without a result reject with `DISPOSED`. */
function disposable(call: CallMember): object {
  const dispose = () => {
    // A worker that has ended has freed it.
    call('dispose', []).catch(() => undefined);
  };
  return { dispose, ...disposal() };
}

function isBase(value: unknown): value is Base {
  return has(value, ['trunk', 'preprocessor', 'cut']);
}

/** The facts about a model in a saved one have fields of the same names, but no trunks. */
function isModel(value: unknown): value is AnyModel {
  return has(value, ['base', 'head', 'history']) && isTrunkOwner(value, 'base') && isTrunkOwner(value, 'head');
}

function isTrunkOwner(value: object, name: string): boolean {
  return has(Reflect.get(value, name), ['trunk']);
}

function isClassifier(value: unknown): value is ExampleClassifier {
  return classifierMethods.every((name) => hasMethod(value, name));
}

function has(value: unknown, names: readonly string[]): value is object {
  return isObject(value) && names.every((name) => name in value);
}
