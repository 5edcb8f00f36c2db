// How the weights of a layer start, what they cost and what they are held to, as its configuration says for each kind.
import type { serialization } from '@tensorflow/tfjs-core';
import {
  constraintOf,
  initializerOf,
  regularizerOf,
  serialize,
  type Constraint,
  type Initializer,
  type Regularizer,
} from './serialized.ts';
import type { LayerConfig } from './layerConfig.ts';

/** Rules of one kind of weights. */
export interface WeightRules {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;
}

/**
 * The rules of a kind of weights (`kernel`, `bias`, `gamma`).
 *
 * @param initializer - Class of the initialiser where the configuration names none.
 */
export function rulesOf(config: LayerConfig, kind: string, initializer: string): WeightRules {
  return {
    initializer: initializerOf(config[`${kind}Initializer`], initializer),
    regularizer: regularizerOf(config[`${kind}Regularizer`]),
    constraint: constraintOf(config[`${kind}Constraint`]),
  };
}

/** The rules as a configuration has them. */
export function describedRules(kind: string, rules: WeightRules | undefined): serialization.ConfigDict {
  return {
    [`${kind}Initializer`]: serialize(rules?.initializer),
    [`${kind}Regularizer`]: serialize(rules?.regularizer),
    [`${kind}Constraint`]: serialize(rules?.constraint),
  };
}
