// Networks prepared for inference. Engines other than the own one take long to prepare a base, so they keep it folded until
// its weights or the engine change: predictions and later runs use it again. On the own engine folding takes longer than a
// prediction, and less than a run: a model predicts as it is, and a run folds its front anew.
import { engineChoice, type EngineChoice } from '../core/engineChoice.ts';
import type { FoldedPart, Trunk } from '../core/types.ts';
import type { AnyModel } from './model.ts';
import { networkOf, withFront, type PreparedNetwork } from './network.ts';

/** A folded base, and what it was made from. */
interface Kept {
  readonly engine: EngineChoice;
  /** Identities of the weights' values: a weight that changes gets another one. */
  readonly values: readonly object[];
  readonly part: Promise<FoldedPart>;
  /** Number of prepared networks that use it. */
  users: number;
  /** Whether it is freed with its last user. */
  forgotten: boolean;
}

const kept = new WeakMap<Trunk, Kept>();

/**
 * Folds the stages before `front` of a model's network. They give the same values as now, faster, and have no
 * gradients. Stages of the head run unchanged.
 */
export async function prepareFront(model: AnyModel, front: number): Promise<PreparedNetwork> {
  const { trunk } = model.base;
  const end = Math.min(front, trunk.stages.length);
  if (end === 0) return { ...networkOf(model), unfolded: [], leftToOwn: [], dispose: () => undefined };
  if (end < trunk.stages.length || engineChoice().name === 'own') {
    return withFront(model, end, await trunk.fold({ to: end }));
  }
  return withKept(model, keptBase(trunk));
}

/** The network of a model for single predictions, with its present weights. */
export async function inferenceNetwork(model: AnyModel): Promise<PreparedNetwork> {
  if (engineChoice().name !== 'own') return prepareFront(model, Infinity);
  forgetInference(model.base.trunk);
  return prepareFront(model, 0);
}

/** Frees what is kept for a base, after its last user. */
export function forgetInference(trunk: Trunk): void {
  const found = kept.get(trunk);
  if (found === undefined) return;
  kept.delete(trunk);
  found.forgotten = true;
  freeUnused(found);
}

async function withKept(model: AnyModel, found: Kept): Promise<PreparedNetwork> {
  const end = () => {
    found.users--;
    freeUnused(found);
  };
  found.users++;
  try {
    return { ...withFront(model, model.base.trunk.stages.length, await found.part), dispose: once(end) };
  } catch (error) {
    end();
    throw error;
  }
}

function keptBase(trunk: Trunk): Kept {
  const engine = engineChoice();
  const values = trunk.weights.map(({ variable }) => variable.dataId);
  const found = kept.get(trunk);
  if (found?.engine === engine && found.values.every((value, index) => value === values[index])) return found;
  forgetInference(trunk);
  const made: Kept = { engine, values, part: trunk.fold(), users: 0, forgotten: false };
  kept.set(trunk, made);
  made.part.catch(() => {
    if (kept.get(trunk) === made) kept.delete(trunk);
  });
  return made;
}

function freeUnused({ users, forgotten, part }: Kept): void {
  if (!forgotten || users > 0) return;
  void part.then(
    (folded) => {
      folded.dispose();
    },
    () => undefined,
  );
}

/** A function that works once. */
function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
