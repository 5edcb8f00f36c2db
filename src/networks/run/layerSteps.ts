// Runs a network by steps, from one of its tensors to another. A step is one layer or several fused ones.
import { clone, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerGraph, TensorRef } from '../../core/graphs.ts';
import { internalError } from '../../core/errors.ts';
import { deriveSeed } from '../../core/random.ts';
import { applyLayer, type RunMode } from './applyLayer.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { layerAt, type LayerSource } from './layerWeights.ts';

/** Computes the outputs of one call of a graph. */
export interface Step {
  /** Index of the call. */
  readonly call: number;
  readonly inputs: readonly TensorRef[];
  /** The caller owns the result, which is never one of the inputs. */
  readonly run: (inputs: readonly Tensor[], mode: RunMode) => Tensor | Tensor[];
}

/** The step that runs one call by its layer. */
export function layerStep(graph: LayerGraph, source: LayerSource, call: number): Step {
  const spec = layerOf(graph, call);
  const { inputs = [], kwargs = {} } = graph.calls[call] ?? {};
  return {
    call,
    inputs,
    run: (tensors, { dropoutSeed: seed, statistics }) => {
      const dropoutSeed = seed === undefined ? undefined : deriveSeed(seed, call);
      return applyLayer(spec, layerAt(source, spec.name), tensors, kwargs, { dropoutSeed, statistics });
    },
  };
}

/** Input, range and mode of a run. */
export interface Execution extends RunMode {
  /** The call whose output is the input. */
  readonly entry: number;
  /** The call whose output is computed. */
  readonly exit: number;
  readonly input: Tensor;
}

/** Runs steps in the order of their calls, and frees every tensor after its last reader. */
export function runSteps(steps: readonly Step[], { entry, exit, input, ...mode }: Execution): Tensor {
  const needed = steps.filter(({ call }) => call > entry && call <= exit);
  const lastReader = lastReaders(needed);
  const outputs = new Map<number, readonly Tensor[]>([[entry, [clone(input)]]]);
  for (const { call, inputs, run } of needed) {
    const output = run(
      inputs.map((ref) => tensorAt(outputs, ref)),
      mode,
    );
    outputs.set(call, Array.isArray(output) ? output : [output]);
    for (const read of new Set(inputs.map((ref) => ref.call))) {
      if (lastReader.get(read) !== call) continue;
      outputs.get(read)?.forEach((tensor) => {
        tensor.dispose();
      });
      outputs.delete(read);
    }
  }
  return tensorAt(outputs, { call: exit, output: 0 });
}

function tensorAt(outputs: ReadonlyMap<number, readonly Tensor[]>, { call, output }: TensorRef): Tensor {
  const tensor = outputs.get(call)?.[output];
  if (tensor === undefined) throw internalError(`nothing computed output ${String(output)} of call ${String(call)}`);
  return tensor;
}

/** The last reader of each call. */
function lastReaders(steps: readonly Step[]): ReadonlyMap<number, number> {
  return new Map(steps.flatMap(({ call, inputs }) => inputs.map((ref) => [ref.call, call] as const)));
}
