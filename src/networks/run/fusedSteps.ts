// The steps of a network, with layers computed together where possible. A BatchNorm with stored statistics becomes a
// scale of the weights before it; one that trains is computed separately, with the activation after it.
import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerGraph } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import type { Shape } from '../../core/types.ts';
import type { FusedActivation } from './activationGradient.ts';
import { axisOf, batchNormOf, layerNormOf } from './applyLayer.ts';
import { channelScale, type ChannelScale } from './batchNorm.ts';
import type { BatchStatistics } from './batchStatistics.ts';
import { fusedBatchNorm } from './fusedBatchNorm.ts';
import { isForeign } from './foreignLayer.ts';
import { applyFunction, hasFunction } from './functionActivation.ts';
import { batchNormGroups, fusedGroups, lastOfGroup, type FusedGroup } from './fusedGroups.ts';
import { fusedLayerNorm, hasFusedLayerNorm } from './fusedLayerNorm.ts';
import { hasFusedForm, runFusedLayer, runFusedScale } from './fusedLayers.ts';
import { sides } from '../graphs/inferShapes.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { activationOfLayer } from './layerActivation.ts';
import { layerAt, weightIn, type LayerSource } from './layerWeights.ts';
import { layerStep, type Step } from './layerSteps.ts';

/** The parts of a network that its steps are made from. */
export interface FusedPlan {
  readonly graph: LayerGraph;
  readonly source: LayerSource;
  /** Output shape of every call, with the batch axis. */
  readonly shapes: readonly Shape[];
  /** Calls whose outputs are needed in addition to the graph's own. */
  readonly needed: ReadonlySet<number>;
}

/** Makes the steps of all calls after the input, in the order in which they run. */
export function fusedSteps(plan: FusedPlan): readonly Step[] {
  const { graph } = plan;
  const groups = groupsOf(plan);
  const grouped = new Set(groups.flatMap(callsOf));
  const alone = [...graph.calls.keys()].filter((call) => call > 0 && !grouped.has(call));
  const steps = [...groups.map((group) => groupStep(plan, group)), ...alone.map((call) => aloneStep(plan, call))];
  return steps.sort((a, b) => a.call - b.call);
}

/** A layer by itself: one kernel where the backend has one for it, otherwise what the layer runs. */
function aloneStep({ graph, source }: FusedPlan, call: number): Step {
  const step = layerStep(graph, source, call);
  const spec = layerOf(graph, call);
  const activation = isForeign(spec) ? undefined : activationOfLayer(spec);
  const isLayerNorm = spec.className === 'LayerNormalization';
  if (activation === undefined && !isLayerNorm) return step;
  return {
    ...step,
    run: (inputs, mode) => {
      const [x] = inputs;
      if (x === undefined) throw internalError(`${spec.name} has no input`);
      if (activation !== undefined && hasFunction(x, activation.name)) return applyFunction(x, activation.name);
      const norm = isLayerNorm ? layerNormOf(spec, layerAt(source, spec.name), x) : undefined;
      if (norm !== undefined && hasFusedLayerNorm(x, norm)) return tidy(() => fusedLayerNorm(x, norm));
      return step.run(inputs, mode);
    },
  };
}

/** Groups that run as one kernel. */
function groupsOf({ graph, shapes, needed }: FusedPlan): FusedGroup[] {
  const groups = fusedGroups(graph, needed).flatMap((group): FusedGroup[] => {
    const { kernel, batchNorm, activation } = group;
    const isFused = activation === undefined || isFusedActivation(activation.name) || activation.call !== kernel;
    if (isFused && hasFusedForm(layerOf(graph, kernel))) return [group];
    // The BatchNorm after a kernel that runs by its layer.
    return batchNorm === undefined ? [] : [{ pad: undefined, kernel: batchNorm, batchNorm: undefined, activation }];
  });
  const norms = batchNormGroups(graph, needed).filter(({ kernel }) => {
    const rank = shapes[kernel]?.length ?? 0;
    return axisOf(layerOf(graph, kernel), rank) === rank - 1;
  });
  return [...groups, ...norms].map((group) =>
    group.activation === undefined || isFusedActivation(group.activation.name)
      ? group
      : { ...group, activation: undefined },
  );
}

function callsOf({ pad, kernel, batchNorm, activation }: FusedGroup): number[] {
  return [pad, kernel, batchNorm, activation?.call].filter((call) => call !== undefined);
}

function groupStep({ graph, source }: FusedPlan, group: FusedGroup): Step {
  const { pad, kernel, batchNorm } = group;
  const spec = layerOf(graph, kernel);
  const layer = layerAt(source, spec.name);
  const activation = activationOf(group);
  const isNorm = spec.className === 'BatchNormalization';
  const norm = isNorm ? spec : batchNorm === undefined ? undefined : layerOf(graph, batchNorm);
  const runKernel = (x: Tensor, scale: ChannelScale | undefined, behind: FusedActivation) =>
    runFusedLayer(x, {
      spec,
      weight: (name) => weightIn(layer, name),
      padding: pad === undefined ? undefined : sides(layerOf(graph, pad).config.padding ?? 1),
      scale,
      activation: behind,
    });
  const compute = (x: Tensor, statistics: BatchStatistics | undefined) => {
    if (norm === undefined) return runKernel(x, undefined, activation);
    const parameters = batchNormOf(norm, layerAt(source, norm.name));
    if (statistics?.has(norm.name) === true) {
      const z = isNorm ? x : runKernel(x, undefined, 'linear');
      return fusedBatchNorm(z, parameters, activation, (moments) => {
        statistics.move(norm.name, moments);
      });
    }
    const scale = channelScale(parameters);
    return isNorm ? runFusedScale(x, scale, activation) : runKernel(x, scale, activation);
  };
  return {
    call: lastOfGroup(group),
    inputs: graph.calls[pad ?? kernel]?.inputs ?? [],
    run: ([x], { statistics }) => {
      if (x === undefined) throw internalError(`${spec.name} has no input`);
      return tidy(() => compute(x, statistics));
    },
  };
}

function activationOf({ activation }: FusedGroup): FusedActivation {
  const name = activation?.name;
  return name !== undefined && isFusedActivation(name) ? name : 'linear';
}

function isFusedActivation(name: string): name is FusedActivation {
  return name === 'linear' || name === 'relu' || name === 'relu6';
}
