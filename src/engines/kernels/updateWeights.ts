// One step of an optimizer for all weights in one run. New weights are new tensors, because tfjs caches packed filters
// by tensor. The state of the optimizer is changed in place.
import { util, type TensorInfo } from '@tensorflow/tfjs-core';
import { internalError } from '../../core/errors.ts';
import { kernelOrOriginal, type KernelCall } from './kernelMaker.ts';
import type { KernelModule } from './kernelModule.ts';
import { real } from './real.ts';
import { shareValues } from './shareWork.ts';
import { addressOf, makeOutput, memoryOf } from './wasmHeap.ts';

/** Rules in assembly/updateWeights.ts, and the number of state tensors for each weight. */
const rules = {
  adam: { number: 0, states: 2 },
  descent: { number: 1, states: 0 },
  momentum: { number: 2, states: 1 },
  nesterov: { number: 3, states: 1 },
} as const;

/**
 * Kernel under a name of this package. Inputs: for each weight the weight, its gradient and its states, one after
 * another. Attributes: `rule`; `rates`, one for each weight; `numbers` of the rule
 * (training/optimizers/updateTogether.ts). Returns the new weights.
 */
export const updateWeightsMaker = kernelOrOriginal('TransferkitUpdateWeights', update);

function update(kernels: KernelModule, { inputs, attrs }: KernelCall): TensorInfo[] | undefined {
  const rule = rules[attrs?.rule as keyof typeof rules];
  const infos = Object.values(inputs).flatMap((info) => info ?? []);
  if (infos.some(({ dtype }) => dtype !== 'float32')) return undefined;
  const { backend } = kernels;
  const rates = attrs?.rates as readonly number[];
  const perWeight = 2 + rule.states;
  const table: number[] = [];
  let values = 0;
  const weights = rates.map((rate, index) => {
    const [weight, ...others] = infos.slice(index * perWeight, (index + 1) * perWeight);
    if (weight === undefined) throw internalError('TransferkitUpdateWeights: a weight is missing');
    const out = makeOutput(backend, weight.shape, 'float32');
    const [gradient = 0, first = 0, second = 0] = others.map((info) => addressOf(backend, info));
    table.push(values, addressOf(backend, weight), gradient, addressOf(backend, out), real(rate), first, second);
    values += util.sizeFromShape(weight.shape);
    return out;
  });
  table.push(values);
  const address = kernels.scratch.reserve(table.length * 4);
  new Uint32Array(memoryOf(backend).buffer, address, table.length).set(table);
  const { perTask, tasks } = shareValues(values);
  const numbers = attrs?.numbers as readonly number[];
  kernels.run('updateWeights', [rule.number, address, perTask, values, ...numbers.map(real)], tasks);
  return weights;
}
