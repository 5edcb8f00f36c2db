// Checks of stages and weights as they are listed, and of writing and freeing them.
import { dispose, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { isTransferKitError } from '../core/errors.ts';
import type { Trunk, TrunkWeight, WeightKind } from '../core/types.ts';
import { near, valuesOf, withoutLeak } from './compareValues.ts';
import { demand } from './conformance.ts';

/** Names of stages and layers. */
export function checkNames({ stages, output, names }: Trunk): void {
  const last = stages.at(-1);
  demand(last !== undefined, 'there are no stages');
  for (const [place, { name, layers }] of stages.entries()) {
    demand(layers.length > 0, `stage ${name} has no layers`);
    demand(stages.findIndex((stage) => stage.name === name) === place, `two stages have the name ${name}`);
    demand(layers.at(-1) === name, `stage ${name} does not end with its layer, but with ${layers.at(-1) ?? 'none'}`);
    demand(new Set(layers).size === layers.length, `stage ${name} lists a layer twice`);
    const unnamed = layers.find((layer) => !names.has(layer));
    demand(unnamed === undefined, `names lack the layer ${unnamed ?? ''}`);
  }
  const same =
    JSON.stringify(last?.output.shape) === JSON.stringify(output.shape) && last?.output.dtype === output.dtype;
  demand(same, 'the last stage does not give the output');
}

/** Names, stages, shapes, kinds and values of weights. */
export function checkWeights({ weights, stages }: Trunk): void {
  demand(new Set(weights.map(({ name }) => name)).size === weights.length, 'two weights have the same name');
  for (const weight of weights) {
    const { name, layer, stage, shape, variable } = weight;
    const home = stages[stage];
    demand(home !== undefined, `${name} is of stage ${String(stage)} of ${String(stages.length)}`);
    demand(home?.layers.includes(layer) === true, `${name} is of stage ${String(stage)}, which has no layer ${layer}`);
    demand(shape.join() === variable.shape.join(), `${name} says [${shape.join(', ')}], not its shape`);
    demand(valuesOf(variable).every(Number.isFinite), `${name} is not finite`);
    checkKind(weight);
  }
}

/** What Keras's names of weights say. */
const kinds: readonly (readonly [RegExp, WeightKind])[] = [
  [/kernel$/, 'kernel'],
  [/(^|\/)bias$/, 'bias'],
  [/(^|\/)gamma$/, 'gamma'],
  [/(^|\/)beta$/, 'beta'],
  [/(^|\/)moving_(mean|variance)$/, 'statistics'],
];

function checkKind({ name, kind, shape }: TrunkWeight): void {
  const expected = kinds.find(([pattern]) => pattern.test(name))?.[1] ?? kind;
  demand(kind === expected, `${name} is of the kind ${kind}, not ${expected}`);
  demand(kind !== 'kernel' || shape.length > 1, `${name} is of the kind kernel, but has ${String(shape.length)} axis`);
}

/** Values before and after `write`. */
export function checkWrite(trunk: Trunk): void {
  for (const weight of trunk.weights) {
    const { name, variable } = weight;
    const before = valuesOf(variable);
    const reversed = [...before].reverse();
    // Reversed values satisfy what a constraint asks of norms and signs.
    const isNew = !near(reversed, before, 0);
    const wanted = isNew ? reversed : before.map((value, i) => value + 1 + i);
    withoutLeak(`writing ${name}`, () => {
      const value = tensor(wanted, variable.shape, variable.dtype);
      weight.write(value);
      demand(!value.isDisposed, `writing ${name} freed the value`);
      dispose(value);
    });
    const after = valuesOf(variable);
    restore(weight, before);
    demand(!near(after, before, 0), `writing ${name} changed nothing`);
    demand(!isNew || near(after, wanted, 1e-4), `writing ${name} set other values`);
  }
}

function restore(weight: TrunkWeight, values: number[]): void {
  const { name, variable } = weight;
  const value = tensor(values, variable.shape, variable.dtype);
  weight.write(value);
  if (!value.isDisposed) dispose(value);
  demand(near(valuesOf(variable), values, 1e-4), `writing ${name} set other values`);
}

/** What is left of a trunk. */
export function checkDispose(trunk: Trunk, input: Tensor): void {
  trunk.dispose();
  trunk.dispose();
  demand(trunk.disposed, 'disposed is false');
  const kept = trunk.weights.filter(({ variable }) => !variable.isDisposed).map(({ name }) => name);
  demand(kept.length === 0, `dispose left ${kept.join(', ')}`);
  try {
    dispose(trunk.run(input));
  } catch (error) {
    demand(isTransferKitError(error) && error.code === 'DISPOSED', `running raised ${String(error)}`);
    return;
  }
  demand(false, 'running after dispose raised nothing');
}
