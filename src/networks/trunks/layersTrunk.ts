// A tfjs LayersModel as a trunk: it can be cut anywhere, every weight has a name, and it runs in the mode that transfer
// learning needs.
import { disposal } from '../../core/disposal.ts';
import { add, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerGraph, LayerSpec } from '../../core/graphs.ts';
import { internalError, TransferKitError } from '../../core/errors.ts';
import { describeShape } from '../../core/shapes.ts';
import { freeWhenUnused } from '../../model/uses.ts';
import type { LayersTrunk, RunOptions, Shape, Stage, TensorSpec, TrunkWeight } from '../../core/types.ts';
import { assertSupported, isStochastic } from '../run/applyLayer.ts';
import { movingStatistics, runWithStatistics } from '../run/batchStatistics.ts';
import { fusedSteps } from '../run/fusedSteps.ts';
import { lastCallOf, layerOf } from '../graphs/layerGraph.ts';
import { layerAt, layerNorms, listWeights, type LayerSource } from '../run/layerWeights.ts';
import { assertSize } from '../graphs/limits.ts';
import { partition, rangeName, type CallFacts, type CallRange } from '../cut/stages.ts';
import { layerStep, runSteps } from '../run/layerSteps.ts';
import { assertInput, assertUsable, resolveRange } from './trunkChecks.ts';
import { blockedLayer } from '../run/withoutGradient.ts';

/**
 * Makes a trunk of a graph whose layers are built.
 *
 * @param graph - Has one output.
 * @param source - Has every layer of the graph. The trunk's `dispose` calls its `dispose`.
 * @throws TransferKitError `UNSUPPORTED_LAYER` for layers that would silently compute something else.
 */
export function layersTrunk(graph: LayerGraph, source: LayerSource): LayersTrunk {
  for (const spec of graph.layers.values()) assertSupported(spec);
  const specs = callOutputs(graph, source);
  const ranges = partition(graph, callFacts(graph, source, specs));
  const stages = ranges.map((range) => describeStage(graph, range, specs));
  const weights = listWeights(graph, source, ranges);
  const norms = layerNorms(graph, weights);
  const boundaries = [0, ...ranges.map(({ last }) => last)];
  const shapes = specs.map(([first]) => first?.shape ?? []);
  const together = fusedSteps({ graph, source, shapes, needed: new Set(boundaries) });
  const oneByOne = graph.calls.slice(1).map((_, index) => layerStep(graph, source, index + 1));
  let disposed = false;

  const trunk: LayersTrunk = {
    layers: { graph, shapes, boundaries },
    input: specAt(specs, 0),
    output: specAt(specs, graph.outputs[0]?.call ?? 0),
    stages,
    weights,
    fixed: [],
    names: new Set(graph.layers.keys()),
    get disposed() {
      return disposed;
    },
    run(input, options: RunOptions = {}) {
      assertUsable(graph.name, disposed);
      const { from, to } = resolveRange(options, ranges.length);
      const { dropoutSeed, fused = true, ...mode } = options;
      const entry = boundaries[from] ?? 0;
      assertInput(input, specAt(specs, entry), layerOf(graph, entry).name);
      const exit = boundaries[to] ?? 0;
      return runWithStatistics(norms, mode, (statistics) => {
        const execution = { entry, exit, input, dropoutSeed, statistics };
        return tidy(() => runSteps(fused ? together : oneByOne, execution));
      });
    },
    movingStatistics(unfrozen) {
      assertUsable(graph.name, disposed);
      return movingStatistics(norms, unfrozen);
    },
    blockedBy(moving, input) {
      return blockedLayer(graph, { names: new Set(moving.map(({ layer }) => layer)), input });
    },
    async fold(given = {}) {
      assertUsable(graph.name, disposed);
      const range = resolveRange(given, ranges.length);
      const { foldLayers } = await import('../fold/foldLayers.ts');
      assertUsable(graph.name, disposed);
      const entry = boundaries[range.from] ?? 0;
      const part = await foldLayers(trunk, range);
      const run = (input: Tensor) => {
        assertUsable(graph.name, disposed);
        assertInput(input, specAt(specs, entry), layerOf(graph, entry).name);
        return part.run(input);
      };
      return { ...part, run };
    },
    describeLayer(name) {
      return { kind: graph.layers.get(name)?.className ?? '', shape: shapes[lastCallOf(graph, name)] };
    },
    penalty(moving) {
      assertUsable(graph.name, disposed);
      const own = new Set(weights);
      return penaltyOf(
        source,
        moving.filter((weight) => own.has(weight)),
      );
    },
    ...disposal(),
    dispose() {
      if (disposed) return;
      disposed = true;
      freeWhenUnused(trunk, () => {
        source.dispose();
      });
    },
  };
  return trunk;
}

/** Shape and type of every call's outputs, from the layers' own shape inference. */
function callOutputs(graph: LayerGraph, source: LayerSource): TensorSpec[][] {
  const specs: TensorSpec[][] = [];
  graph.calls.forEach((call, index) => {
    const layer = layerOf(graph, index);
    if (call.inputs.length === 0) {
      specs.push([inputSpec(layer.config)]);
      return;
    }
    const inputs = call.inputs.map((ref) => [...specAt(specs, ref.call, ref.output).shape]);
    const shapes = layerAt(source, layer.name).computeOutputShape(inputs.length === 1 ? (inputs[0] ?? []) : inputs);
    const isOpen = inputs.some((shape) => shape.slice(1).includes(null));
    specs.push(asShapes(shapes).map((shape) => ({ shape: checkOutput(layer, shape, isOpen), dtype: 'float32' })));
  });
  return specs;
}

function inputSpec(config: LayerGraph['calls'][number]['kwargs']): TensorSpec {
  const shape = Array.isArray(config.batch_input_shape) ? config.batch_input_shape : [null];
  const dtype = config.dtype === 'int32' || config.dtype === 'bool' ? config.dtype : 'float32';
  return { shape: shape.map((axis: unknown) => (typeof axis === 'number' ? axis : null)), dtype };
}

/**
 * Validates the shape of a layer's output: a possible size, and a free batch axis.
 *
 * @param isOpen - Whether the input has free axes. tfjs crops such an axis as if its length were 0.
 */
function checkOutput({ name, className }: LayerSpec, shape: Shape, isOpen: boolean): Shape {
  const [batch = null, ...axes] = shape.map((axis) => (isOpen && axis !== null && axis <= 0 ? null : axis));
  assertSize(`layer '${name}' (${className})`, axes);
  if (batch === null) return [null, ...axes];
  const text =
    `expected layers that take any number of examples, got '${name}' (${className}), which gives ` +
    `${describeShape([batch, ...axes])}: the number of examples is written into it. Cut the base before it, or export the ` +
    'model with a free batch axis.';
  throw new TransferKitError('UNSUPPORTED_LAYER', text, { layer: name, className, shape });
}

function asShapes(shapes: Shape | readonly Shape[]): Shape[] {
  return isShapeList(shapes) ? [...shapes] : [shapes];
}

function isShapeList(shapes: Shape | readonly Shape[]): shapes is readonly Shape[] {
  return Array.isArray(shapes[0]);
}

function specAt(specs: readonly TensorSpec[][], call: number, output = 0): TensorSpec {
  const spec = specs[call]?.[output];
  if (spec === undefined) throw internalError(`call ${String(call)} has no output ${String(output)}`);
  return spec;
}

function callFacts(graph: LayerGraph, source: LayerSource, specs: readonly TensorSpec[][]): CallFacts[] {
  return graph.calls.map((_, index) => {
    const layer = layerOf(graph, index);
    const weighted = layer.className !== 'InputLayer' && layerAt(source, layer.name).weights.length > 0;
    return {
      startsStage: weighted && !/^(Batch)?Normalization$/.test(layer.className),
      stochastic: isStochastic(layer),
      outputShape: specAt(specs, index).shape,
    };
  });
}

function describeStage(graph: LayerGraph, range: CallRange, specs: readonly TensorSpec[][]): Stage {
  const calls = graph.calls.slice(range.first, range.last + 1);
  const names = [...new Set(calls.map((call) => call.layer))];
  return {
    name: rangeName(graph, range),
    layers: names,
    output: specAt(specs, range.last),
    stochastic: calls.some((_, offset) => isStochastic(layerOf(graph, range.first + offset))),
  };
}

function penaltyOf(source: LayerSource, moving: readonly TrunkWeight[]): Scalar | undefined {
  const active = new Set(moving.map((weight) => weight.layer));
  const penalties = [...source.layers].filter(([name]) => active.has(name)).flatMap(([, layer]) => layer.losses);
  if (penalties.length === 0) return undefined;
  return tidy(() => penalties.map((penalty) => penalty()).reduce((sum, each) => add(sum, each)));
}
