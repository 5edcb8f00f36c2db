// Describes a model for its file: what `load` needs besides the network.
import type { TrunkWeight } from '../../core/types.ts';
import type { AnyModel, HeadPart } from '../../model/model.ts';
import type { SavedModel } from './savedModel.ts';

/** Names of layers and nodes as the file has them. */
export interface WrittenNames {
  /** Name of the layer or node that gives the features. */
  readonly cut: string;
  readonly head: Omit<SavedModel['head'], 'trained'>;
  /** Name of a weight. Default: its own. */
  readonly weightName?: (weight: TrunkWeight) => string;
}

/** The fields of a whole model. */
export function describeModel(
  { base, head, labels, history }: AnyModel,
  { cut, head: written, weightName = ({ name }) => name }: WrittenNames,
): SavedModel {
  return {
    version: 1,
    task: head.task,
    labels,
    preprocessor: base.preprocessor.spec,
    base: { name: base.name, cut },
    head: { ...written, trained: head.trained },
    ...thresholdsOf(head.parts),
    unfrozen: [...base.trunk.weights, ...head.trunk.weights].filter(({ frozen }) => !frozen).map(weightName),
    history,
  };
}

/** Thresholds that are not one half; {} where there are none. */
export function thresholdsOf(parts: readonly HeadPart[]): Pick<SavedModel, 'thresholds'> {
  const [first] = parts;
  if (first?.name === '') return first.thresholds === undefined ? {} : { thresholds: first.thresholds };
  const own = parts.flatMap(({ name, thresholds }) => (thresholds === undefined ? [] : [[name, thresholds] as const]));
  return own.length === 0 ? {} : { thresholds: Object.fromEntries(own) };
}
