// Initialiser, regulariser and constraint for each kind of a layer's weights, from its configuration.
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

/** Rules for one kind of weights. */
export interface WeightRules {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;
}

/**
 * The rules for a kind of weights (`kernel`, `bias`, `gamma`).
 *
 * @param initializer - Class of the initialiser if the configuration has none.
 */
export function rulesOf(config: LayerConfig, kind: string, initializer: string): WeightRules {
  return {
    initializer: initializerOf(config[`${kind}Initializer`], initializer),
    regularizer: regularizerOf(config[`${kind}Regularizer`]),
    constraint: constraintOf(config[`${kind}Constraint`]),
  };
}

/** The rules in the form of a configuration. */
export function describedRules(kind: string, rules: WeightRules | undefined): serialization.ConfigDict {
  return {
    [`${kind}Initializer`]: serialize(rules?.initializer),
    [`${kind}Regularizer`]: serialize(rules?.regularizer),
    [`${kind}Constraint`]: serialize(rules?.constraint),
  };
}
