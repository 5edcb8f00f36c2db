// Bases that stay folded between predictions, for engines other than the own one. On that one folding takes longer than a
// prediction, so models run as they are.
import { engineChoice, type EngineChoice } from '../core/engineChoice.ts';
import type { FoldedPart, Trunk } from '../core/types.ts';
import type { AnyModel } from './model.ts';
import { networkOf, withFront, type Network } from './network.ts';

/** A folded base, and what it was made from. */
interface Kept {
  readonly engine: EngineChoice;
  /** Identities of the weights' values: a weight that changes gets another one. */
  readonly values: readonly object[];
  readonly part: Promise<FoldedPart>;
}

const kept = new WeakMap<Trunk, Kept>();

/** The network of a model for inference, with its present weights. */
export async function inferenceNetwork(model: AnyModel): Promise<Network> {
  const { trunk } = model.base;
  if (engineChoice().name !== 'own') return withFront(model, trunk.stages.length, await foldedBase(trunk));
  forgetInference(trunk);
  return networkOf(model);
}

/** Frees what is kept for a base. */
export function forgetInference(trunk: Trunk): void {
  const found = kept.get(trunk);
  kept.delete(trunk);
  void found?.part.then(
    (part) => {
      part.dispose();
    },
    () => undefined,
  );
}

function foldedBase(trunk: Trunk): Promise<FoldedPart> {
  const engine = engineChoice();
  const values = trunk.weights.map(({ variable }) => variable.dataId);
  const found = kept.get(trunk);
  if (found?.engine === engine && found.values.every((value, index) => value === values[index])) return found.part;
  forgetInference(trunk);
  const part = trunk.fold();
  kept.set(trunk, { engine, values, part });
  part.catch(() => kept.delete(trunk));
  return part;
}
