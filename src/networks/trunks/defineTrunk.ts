// Makes a trunk of stages that are plain functions, with the checks and the bookkeeping that every trunk needs.
import { nameErrors } from '../../core/edge.ts';
import { clone, dispose, tidy, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { disposal } from '../../core/disposal.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { deriveSeed } from '../../core/random.ts';
import type { Stage, StageRange, TensorSpec, Trunk, TrunkWeight, WeightKind } from '../../core/types.ts';
import { freeWhenUnused } from '../../model/uses.ts';
import { kindOf } from '../run/layerWeights.ts';
import { assertExactInput, assertUsable, resolveRange } from './trunkChecks.ts';

/** One stage of {@link defineTrunk}. */
export interface StageDefinition {
  /** Name of the last layer, unique in the trunk. */
  readonly name: string;
  /** Layers in the order in which they run; the last is `name`. Default: only `name`. */
  readonly layers?: readonly string[];
  /** Shape and type of the stage's output, with a free batch axis. */
  readonly output: TensorSpec;
  /** Whether `run` uses its seed. Default false. */
  readonly stochastic?: boolean;
  /**
   * Computes the stage with operations of tfjs-core that have gradients. It runs in a `tf.tidy`, which frees
   * intermediate tensors.
   *
   * @param input - [b, …], the output of the stage before it. The caller still owns it.
   * @param dropoutSeed - In training: the same seed gives the same values. Undefined in inference.
   * @returns [b, …], as in `output`.
   */
  run(input: Tensor, dropoutSeed: number | undefined): Tensor;
}

/** One weight of {@link defineTrunk}. */
export interface WeightDefinition {
  /** A layer of one of the stages. */
  readonly layer: string;
  /** Name in the layer, such as `kernel` or `bias`. */
  readonly name: string;
  /** Kind of the weight. Default: derived from the name, as Keras names weights, else `'other'`. */
  readonly kind?: WeightKind;
  /** The variable that the stages use. The trunk owns it from then on. */
  readonly variable: Variable;
}

/** Definition of a trunk for {@link defineTrunk}. Optional members of `Trunk` are passed through unchanged. */
export interface TrunkDefinition extends Partial<Pick<Trunk, 'fixed' | 'unit'>> {
  /** Name in error texts. */
  readonly name: string;
  /** Shape and type of the first stage's input, with a free batch axis. */
  readonly input: TensorSpec;
  readonly stages: readonly StageDefinition[];
  readonly weights: readonly WeightDefinition[];
  /** Names of the nodes that `writeNodes` writes. Layers of a head must have other names. Default: none. */
  readonly names?: Iterable<string>;
  /** See {@link Trunk.penalty}. Default: no penalty. */
  readonly penalty?: NonNullable<Trunk['penalty']>;
  /** See {@link Trunk.blockedBy}. Default: no layer is known to lack a gradient. */
  readonly blockedBy?: NonNullable<Trunk['blockedBy']>;
  /** See {@link Trunk.describeLayer}. Default: `base.summary()` has neither kinds nor inner shapes. */
  readonly describeLayer?: NonNullable<Trunk['describeLayer']>;
  /** See {@link Trunk.writeNodes}. Default: `save` and `toGraphModel` raise `UNSUPPORTED_TRUNK`. */
  readonly writeNodes?: NonNullable<Trunk['writeNodes']>;
}

const trunkDefinition = {
  ...{ name: true, input: true, stages: true, weights: true, names: true, fixed: true, penalty: true },
  ...{ blockedBy: true, describeLayer: true, unit: true, writeNodes: true },
} as const satisfies Record<keyof TrunkDefinition, true>;

/**
 * Makes a trunk of stages that are plain functions. The trunk checks inputs, runs ranges of stages and frees
 * intermediate tensors. Its `fold` runs the stages unchanged. It has no BatchNorm that trains by the batch.
 *
 * @param definition - See {@link TrunkDefinition}.
 * @returns A trunk with all weights frozen. It fulfils the contract of `Trunk` if the functions fulfil theirs: check it
 * with
 * `checkTrunk` of `transferkit/testing`.
 * @throws TransferKitError `INVALID_OPTION` for invalid stages or weights.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { defineBase, defineTrunk, replaceHead } from 'transferkit';
 *
 * const kernel = tf.variable(tf.randomNormal([4, 8], 0, 0.5, 'float32', 1));
 * const trunk = defineTrunk({
 *   name: 'projection',
 *   input: { shape: [null, 4], dtype: 'float32' },
 *   stages: [
 *     {
 *       name: 'project',
 *       output: { shape: [null, 8], dtype: 'float32' },
 *       run: (x: tf.Tensor) => tf.relu(tf.matMul(x, kernel)), // [b, 4] → [b, 8]
 *     },
 *   ],
 *   weights: [{ layer: 'project', name: 'kernel', variable: kernel }],
 * });
 * const projected = replaceHead(defineBase({ name: 'projection', trunk }), { labels: ['cat', 'dog'] });
 * console.log(projected.base.cut, trunk.weights[0]?.name); // project project/kernel
 * ```
 */
export function defineTrunk(definition: TrunkDefinition): Trunk {
  return nameErrors('defineTrunk', () => {
    assertOptions(definition, trunkDefinition);
    const { name, input, names = [], fixed = [], stages: steps, weights: own, ...optional } = definition;
    for (const [part, list] of Object.entries({ stages: steps, weights: own })) {
      if (!Array.isArray(list)) throw invalidOption(`${part} to be a list`, list);
    }
    const stages = steps.map(describeStage);
    assertStages(stages);
    const weights = own.map((weight) => describeWeight(weight, stages));
    assertUnique('weights', weights);
    const entryOf = (from: number) => stages[from - 1];
    let disposed = false;
    const trunk: Trunk = {
      ...optional,
      input,
      output: stages.at(-1)?.output ?? input,
      stages,
      weights,
      fixed,
      names: new Set([...stages.flatMap(({ layers }) => layers), ...names]),
      get disposed() {
        return disposed;
      },
      run(x, options = {}) {
        assertUsable(name, disposed);
        const { from, to } = resolveRange(options, stages.length);
        assertExactInput(x, entryOf(from)?.output ?? input, entryOf(from)?.name ?? name);
        return runStages(steps.slice(0, to), from, x, options.dropoutSeed);
      },
      async fold(range: StageRange = {}) {
        const { from, to } = resolveRange(range, stages.length);
        return {
          run: (x: Tensor) => trunk.run(x, { from, to }),
          unfolded: stages.slice(from, to).flatMap(({ layers }) => layers),
          ...disposal(),
          dispose: () => undefined,
        };
      },
      ...disposal(),
      dispose() {
        if (disposed) return;
        disposed = true;
        freeWhenUnused(trunk, () => {
          dispose(weights.map(({ variable }) => variable));
        });
      },
    };
    return trunk;
  });
}

/** Runs stages in order, and frees every tensor between two of them. */
function runStages(
  steps: readonly StageDefinition[],
  from: number,
  input: Tensor,
  dropoutSeed: number | undefined,
): Tensor {
  return tidy(() =>
    steps.slice(from).reduce((x, step, place) => {
      const seed = dropoutSeed === undefined ? undefined : deriveSeed(dropoutSeed, from + place);
      const output = tidy(() => unlike(x, step.run(x, seed)));
      dispose(x);
      return output;
    }, clone(input)),
  );
}

/** A stage without effect returns its input, which the caller frees: a clone is returned instead. */
function unlike(input: Tensor, output: Tensor): Tensor {
  return output === input ? clone(input) : output;
}

function describeStage({ name, layers = [name], output, stochastic = false }: StageDefinition): Stage {
  return { name, layers, output, stochastic };
}

function assertStages(stages: readonly Stage[]): void {
  if (stages.length === 0) throw invalidOption('at least one stage', stages);
  assertUnique('stages', stages);
  const wrong = stages.find(({ name, layers }) => layers.at(-1) !== name);
  if (wrong !== undefined) throw invalidOption(`stage '${wrong.name}' to end with its layer`, wrong.layers);
}

function assertUnique(what: string, named: readonly { readonly name: string }[]): void {
  const names = named.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw invalidOption(`${what} of different names`, `two of name ${twice}`);
}

function describeWeight({ layer, name, kind, variable }: WeightDefinition, stages: readonly Stage[]): TrunkWeight {
  const stage = stages.findIndex(({ layers }) => layers.includes(layer));
  if (stage < 0) throw invalidOption(`weight '${name}' to be of a layer of a stage`, layer);
  return {
    name: `${layer}/${name}`,
    layer,
    stage,
    shape: variable.shape,
    kind: kind ?? kindOf(name),
    variable,
    frozen: true,
    write: (value) => {
      variable.assign(value);
    },
  };
}
