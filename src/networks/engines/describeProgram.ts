// A program as text: its steps with their shapes and costs.
import { tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { NodeGraph, NodeSpec } from '../../core/graphs.ts';
import { describeShape, sizeOf } from '../../core/shapes.ts';
import type { TensorSpec } from '../../core/types.ts';
import { nodeOf } from '../graphs/nodeGraph.ts';
import type { Graph } from '../run/runNodes.ts';

type Shape = readonly number[];

/** The data that a description is made from. */
interface Described {
  readonly graph: NodeGraph;
  readonly model: Graph;
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly input: TensorSpec;
}

/**
 * Lists the steps of a program in their order: name, operation, output shape, shapes of the constants, and for products
 * and convolutions the number of multiplications for one example. The program runs once, on zeros.
 */
export function describeProgram(program: Described): string {
  const { graph, constants, input } = program;
  const steps = graph.nodes.filter(({ name, op }) => name !== graph.input && op !== 'Const');
  const outputs = outputShapes(program, steps);
  const costs = steps.map((step, index) => multiplications(step, outputs[index] ?? [], constants));
  const rows = steps.map(({ name, op, inputs }, index) => {
    const read = inputs.flatMap((reference) => constants.get(nodeOf(reference)) ?? []);
    const cost = costs[index] ?? 0;
    return [
      name,
      op,
      describeShape((outputs[index] ?? []).slice(1)),
      read.map(({ shape }) => describeShape(shape)).join(' '),
      cost === 0 ? '' : cost.toLocaleString('en'),
    ];
  });
  const total = costs.reduce((sum, cost) => sum + cost, 0).toLocaleString('en');
  const title = `${graph.name}: ${String(steps.length)} steps on ${describeShape(input.shape.slice(1))}, ${total} multiplications`;
  return [title, ...table(rows)].join('\n');
}

function outputShapes({ graph, model, input }: Described, steps: readonly NodeSpec[]): Shape[] {
  if (steps.length === 0) return [];
  return tidy(() => {
    const shape = input.shape.map((axis) => axis ?? 1);
    const names = steps.map(({ name }) => name);
    return [model.execute({ [graph.input]: zeros(shape, input.dtype) }, names)].flat().map((output) => output.shape);
  });
}

/** Number of multiplications for one example; 0 for operations that are neither products nor convolutions. */
function multiplications({ op, inputs }: NodeSpec, output: Shape, constants: ReadonlyMap<string, Tensor>): number {
  const [, factor = ''] = inputs;
  const { shape = [] } = constants.get(nodeOf(factor)) ?? {};
  const values = sizeOf(output.slice(1));
  if (op.includes('Depthwise')) return values * sizeOf(shape.slice(0, 2));
  if (op.includes('Conv2D')) return values * sizeOf(shape.slice(0, -1));
  if (op.includes('MatMul')) return values * (sizeOf(shape) / (output.at(-1) ?? 1));
  return 0;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
