// Joins base and head to one chain of stages, numbered from the input of the base to the logits.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { AnyModel } from './model.ts';
import type { FoldedPart, RunOptions, Stage, StageRange, Trunk, TrunkWeight } from '../core/types.ts';

/** Base and head of a model as one network. */
export interface Network {
  readonly stages: readonly Stage[];
  /** Runs stages `from` … `to - 1`. Dropout is active in the head alone; BatchNorm may train in base and head. */
  run(input: Tensor, options?: RunOptions): Tensor;
  /** Runs stages in inference mode, without gradients: on the chosen engine where they are folded. */
  infer(input: Tensor, range?: StageRange): Tensor | Promise<Tensor>;
}

/** The chain of a model's base and head. */
export function networkOf({ base, head }: AnyModel): Network {
  const joint = base.trunk.stages.length;
  const stages = [...base.trunk.stages, ...head.trunk.stages];
  const network: Network = {
    stages,
    run(input, { from = 0, to = stages.length, dropoutSeed, ...training } = {}) {
      const mode = trainingMode(base.trunk, training);
      if (to <= joint) return base.trunk.run(input, { from, to, ...mode });
      const behind = {
        from: Math.max(0, from - joint),
        to: to - joint,
        ...(dropoutSeed === undefined ? {} : { dropoutSeed }),
        ...trainingMode(head.trunk, training),
      };
      if (from >= joint) return head.trunk.run(input, behind);
      const features = base.trunk.run(input, { from, ...mode });
      const output = head.trunk.run(features, behind);
      dispose(features);
      return output;
    },
    infer: (input, range) => network.run(input, range),
  };
  return network;
}

/** Options for BatchNorm: training mode if it is requested and the trunk supports it. */
function trainingMode(trunk: Trunk, { onStatistics, momentum }: RunOptions): RunOptions {
  if (onStatistics === undefined || trunk.movingStatistics === undefined) return {};
  return { onStatistics, ...(momentum === undefined ? {} : { momentum }) };
}

/** A network whose first stages are folded for many runs of inference. */
export interface PreparedNetwork extends Network {
  /** Layers that could not be folded and run unchanged. */
  readonly unfolded: readonly string[];
  /** Nodes that the chosen engine has no form for. */
  readonly leftToOwn: readonly string[];
  /** Frees the folded stages. The model stays. */
  dispose(): void;
}

/** A network whose stages before `end` run as a folded part of the base. */
export function withFront(model: AnyModel, end: number, prepared: FoldedPart): PreparedNetwork {
  const network = networkOf(model);
  return {
    ...network,
    unfolded: prepared.unfolded,
    leftToOwn: prepared.leftToOwn ?? [],
    infer(input, range = {}) {
      const { from = 0, to = network.stages.length } = range;
      if (from > 0 || to < end) return network.run(input, range);
      const features = prepared.run(input);
      if (to === end) return features;
      const further = (map: Tensor) => runAndFree(network, map, { from: end, to });
      return features instanceof Promise ? features.then(further) : further(features);
    },
    dispose: () => {
      prepared.dispose();
    },
  };
}

/** Runs a network on an input and disposes of the input. */
function runAndFree(network: Network, input: Tensor, options: RunOptions): Tensor {
  try {
    return network.run(input, options);
  } finally {
    dispose(input);
  }
}

/** Whether training may change a weight. Statistics have no gradient. */
export function isMovable(weight: TrunkWeight): boolean {
  return !weight.frozen && weight.kind !== 'statistics';
}

/**
 * Number of stages from the input on that give the same values in every epoch: the stages before the first weight that
 * training changes (including BatchNorm's statistics) and before the first dropout of the head.
 */
export function frozenPrefix({ base, head }: AnyModel, moved: readonly TrunkWeight[]): number {
  const moving = new Set(moved);
  const joint = base.trunk.stages.length;
  const first = (weights: readonly TrunkWeight[]) =>
    Math.min(...weights.filter((weight) => moving.has(weight)).map((weight) => weight.stage), Infinity);
  const inBase = first(base.trunk.weights);
  if (inBase < joint) return inBase;
  const random = head.trunk.stages.findIndex((stage) => stage.stochastic);
  const inHead = Math.min(first(head.trunk.weights), random === -1 ? Infinity : random);
  return joint + Math.min(inHead, head.trunk.stages.length);
}
