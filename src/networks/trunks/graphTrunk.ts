// A tfjs GraphModel as a trunk. tfjs treats its weights as constants, but its operations have gradients: to train them,
// the constants are replaced by variables.
import { clone, keep, variable, type Tensor } from '@tensorflow/tfjs-core';
import { disposal } from '../../core/disposal.ts';
import type { NodeGraph } from '../../core/graphs.ts';
import { internalError, isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { sizeOf } from '../../core/shapes.ts';
import { freeWhenUnused } from '../../model/uses.ts';
import type { RunOptions, Stage, TensorSpec, Trunk, TrunkWeight, WrittenNodes } from '../../core/types.ts';
import type { WeightSource } from '../../core/weightSource.ts';
import { movingStatistics, runWithStatistics } from '../run/batchStatistics.ts';
import { assertRunnable, probe } from '../run/graphProbe.ts';
import { assertSmallConstants } from '../run/sizeConstants.ts';
import { dataNodes, nodesByName } from '../graphs/nodeGraph.ts';
import { assertWholeExamples, nodesOfSplitExamples } from '../graphs/splitExamples.ts';
import { divideConstants, hasKernel, type NodeWeight } from '../graphs/nodeWeights.ts';
import { emptyModel, runNodes, type Graph } from '../run/runNodes.ts';
import { splitDilated } from '../run/splitDilated.ts';
import { separatingNodes, wiringOf } from '../cut/nodeWiring.ts';
import { partition, type CallRange } from '../cut/stages.ts';
import { nodeNorms, trainingGraphs } from '../run/trainingNodes.ts';
import { assertExactInput, assertUsable, resolveRange } from './trunkChecks.ts';
import { blockedNode } from '../run/withoutGradient.ts';

/**
 * Makes a trunk of nodes and their constants.
 *
 * @param graph - Has one output.
 * @param constants - Has a value for every Const of the graph.
 * @param input - Shape and type of the graph's input, with a free batch axis and all other axes fixed.
 * @throws TransferKitError `WEIGHTS_MISMATCH` for a missing constant, `UNSUPPORTED_SOURCE` for operations that tfjs
 * cannot run synchronously.
 */
export function graphTrunk(graph: NodeGraph, constants: WeightSource, input: TensorSpec): Trunk {
  assertRunnable(graph);
  assertWholeExamples(graph);
  const differentiable = splitDilated(graph);
  const model = buildModel(differentiable);
  try {
    fillConstants(model, graph, constants);
    assertSmallConstants(graph, model);
    return makeTrunk(graph, differentiable, model, input);
  } catch (error) {
    model.dispose();
    throw isTransferKitError(error) ? error : unbuilt(graph, error);
  }
}

/** @param differentiable - The nodes that the model runs: those of the graph and additional ones. */
function makeTrunk(graph: NodeGraph, differentiable: NodeGraph, model: Graph, input: TensorSpec): Trunk {
  const wiring = wiringOf(graph);
  const names = dataNodes(graph);
  const split = nodesOfSplitExamples(graph);
  const specs = probe(graph, model, separatingNodes(graph), input);
  const ranges = partition(wiring, callFacts(graph, { names, specs, split }));
  const stages = ranges.map((range) => describeStage(names, range, specs));
  const { weights: found, fixed } = divideConstants(graph, (name) => factsOf(model, name));
  const weights = listWeights(model, found, stages);
  const byName = nodesByName(graph.nodes);
  const norms = nodeNorms(graph, weights);
  const inTraining = trainingGraphs(differentiable, model);
  let disposed = false;
  const trunk: Trunk = {
    unit: 'nodes',
    input,
    output: stages.at(-1)?.output ?? input,
    stages,
    weights,
    fixed,
    names: takenNames(graph),
    get disposed() {
      return disposed;
    },
    run(x, options: RunOptions = {}) {
      const { from, to } = resolveRange(options, stages.length);
      const { from: _from, to: _to, ...mode } = options;
      assertUsable(graph.name, disposed);
      const [entry, exit] = [stages[from - 1], stages[to - 1]];
      const run = { entry: entry?.name ?? graph.input, input: x, exit: exit?.name ?? graph.input };
      assertExactInput(x, entry?.output ?? input, run.entry);
      return runWithStatistics(norms, mode, (statistics) => {
        const trained = stages.slice(from, to).flatMap(({ layers }) => layers.filter((node) => statistics?.has(node)));
        if (statistics === undefined || trained.length === 0) return runNodes(model, run);
        return inTraining(trained).run(run, statistics);
      });
    },
    movingStatistics(unfrozen) {
      assertUsable(graph.name, disposed);
      return movingStatistics(norms, unfrozen);
    },
    blockedBy(moving, input) {
      return blockedNode(graph, { names: new Set(moving.map(({ name }) => name)), input });
    },
    async fold(range = {}) {
      const { from, to } = resolveRange(range, stages.length);
      assertUsable(graph.name, disposed);
      const { foldPart } = await import('../fold/foldNodes.ts');
      assertUsable(graph.name, disposed);
      const entry = stages[from - 1];
      const part = await foldPart(graph, constantsOf(model), entry?.output ?? input, entry?.name, stages[to - 1]?.name);
      const run = (x: Tensor) => {
        assertUsable(graph.name, disposed);
        assertExactInput(x, entry?.output ?? input, entry?.name ?? graph.input);
        return part.run(x);
      };
      return { ...part, run };
    },
    describeLayer(name) {
      return { kind: byName.get(name)?.op ?? '', shape: specs.get(name)?.shape };
    },
    writeNodes() {
      assertUsable(graph.name, disposed);
      return writtenNodes(graph, constantsOf(model));
    },
    ...disposal(),
    dispose() {
      if (disposed) return;
      disposed = true;
      freeWhenUnused(trunk, () => {
        model.dispose();
      });
    },
  };
  return trunk;
}

/** @throws TransferKitError `NOT_A_MODEL` for a graph that tfjs refuses. */
function buildModel(graph: NodeGraph): Graph {
  try {
    return emptyModel(graph);
  } catch (error) {
    throw unbuilt(graph, error);
  }
}

function unbuilt(graph: NodeGraph, error: unknown): TransferKitError {
  const reason = error instanceof Error ? error.message : String(error);
  const text = `expected a graph that tfjs can build, got '${graph.name}': ${reason}`;
  return new TransferKitError('NOT_A_MODEL', text, { reason }, error);
}

function fillConstants(model: Graph, graph: NodeGraph, constants: WeightSource): void {
  const missing: string[] = [];
  for (const { name, op } of graph.nodes) {
    if (op !== 'Const') continue;
    if (constants.shapeOf(name) === undefined) missing.push(name);
    // Detached from the open scope of the engine, which would otherwise free it.
    else model.weights[name] = [keep(constants.read(name))];
  }
  if (missing.length === 0) return;
  const text =
    `expected values for every constant of '${graph.name}', found none for ${missing.slice(0, 10).join(', ')} ` +
    `(${String(missing.length)} missing). Export or fetch topology and weights together.`;
  throw new TransferKitError('WEIGHTS_MISMATCH', text, { missing });
}

function factsOf(model: Graph, name: string) {
  const tensor = model.weights[name]?.[0];
  return tensor === undefined ? undefined : { dtype: tensor.dtype, size: sizeOf(tensor.shape) };
}

/** Replaces the constants that may be trained by variables. */
function listWeights(model: Graph, found: readonly NodeWeight[], stages: readonly Stage[]): TrunkWeight[] {
  const stageOf = new Map(stages.flatMap((stage, index) => stage.layers.map((name) => [name, index] as const)));
  return found.flatMap(({ name, reader, kind }) => {
    const constant = model.weights[name]?.[0];
    if (constant === undefined) return [];
    const moving = variable(constant, true);
    model.weights[name] = [moving];
    constant.dispose();
    return {
      name,
      layer: reader,
      stage: stageOf.get(reader) ?? 0,
      shape: moving.shape,
      kind,
      variable: moving,
      frozen: true,
      write: (value: Tensor) => {
        moving.assign(value);
      },
    };
  });
}

interface NodeFacts {
  readonly names: readonly string[];
  readonly specs: ReadonlyMap<string, TensorSpec>;
  readonly split: ReadonlySet<string>;
}

function callFacts(graph: NodeGraph, { names, specs, split }: NodeFacts) {
  const byName = nodesByName(graph.nodes);
  return names.map((name) => {
    const node = byName.get(name);
    return {
      startsStage: node !== undefined && hasKernel(node),
      stochastic: false,
      outputShape: specs.get(name)?.shape ?? [],
      splitsExamples: split.has(name),
    };
  });
}

function describeStage(
  names: readonly string[],
  { first, last }: CallRange,
  specs: ReadonlyMap<string, TensorSpec>,
): Stage {
  const name = names[last] ?? '';
  const output = specs.get(name);
  if (output === undefined) throw internalError(`no shape of ${name}`);
  return { name, layers: names.slice(first, last + 1), output, stochastic: false };
}

/** All constants of a graph, including the variables of weights. */
function constantsOf({ weights }: Graph): ReadonlyMap<string, Tensor> {
  return new Map(Object.entries(weights).flatMap(([name, [tensor]]) => (tensor ? [[name, tensor]] : [])));
}

/** Names of nodes and their prefixes. */
function takenNames({ nodes }: NodeGraph): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ name }) => [name, name.split('/')[0] ?? name]));
}

/** The unchanged graph, with constants that the caller owns. */
function writtenNodes(
  { nodes, input, outputs, rest }: NodeGraph,
  constants: ReadonlyMap<string, Tensor>,
): WrittenNodes {
  const copies = new Map([...constants].map(([name, tensor]) => [name, clone(tensor)]));
  return { nodes, input, output: outputs[0] ?? input, constants: copies, rest };
}
