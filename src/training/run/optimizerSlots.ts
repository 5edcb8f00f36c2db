// What an optimizer keeps of each weight, and the step that moves all of them.
import { dispose, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { at } from '../../core/at.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';

/** What is kept of one weight. */
export interface Slot {
  /** The optimizer's own. */
  readonly state: readonly Tensor[];
  /** Steps that the weight has taken since the state was made. */
  readonly steps: number;
}

/** State of an optimizer, keyed by weight name: a weight keeps its own from the step on in which it is first moved. */
export class OptimizerSlots {
  private readonly slots = new Map<string, Slot>();

  constructor(private readonly optimizer: Optimizer) {}

  /** What is kept, by weight name; it stays this object's. */
  get byName(): ReadonlyMap<string, Slot> {
    return this.slots;
  }

  /** Makes the state of weights that have none. Those that moved before keep theirs. */
  follow(weights: readonly TrunkWeight[]): void {
    for (const { name, variable } of weights) {
      if (this.slots.has(name)) continue;
      this.slots.set(name, { state: tidy(() => this.optimizer.init(variable)), steps: 0 });
    }
  }

  /**
   * Moves weights.
   *
   * @param gradients - One for each weight, which stay the caller's.
   */
  step(weights: readonly TrunkWeight[], gradients: readonly Tensor[], rateOf: (weight: TrunkWeight) => number): void {
    const { optimizer } = this;
    const steps = weights.map((weight, place) => {
      const { state, steps: done } = this.slots.get(weight.name) ?? { state: [], steps: 0 };
      return {
        weight: weight.variable,
        gradient: at(gradients, place),
        state,
        learningRate: rateOf(weight),
        step: done + 1,
      };
    });
    const together = optimizer.updateAll?.(steps);
    for (const [place, weight] of weights.entries()) {
      const step = steps[place];
      if (step === undefined) continue;
      const moved = together?.[place];
      const next = moved === undefined ? optimizer.update(step) : { weight: moved, state: step.state };
      weight.write(next.weight);
      dispose(next.weight);
      this.slots.set(weight.name, { state: [...next.state], steps: step.step });
      if (next.state !== step.state) dispose([...step.state]);
    }
  }

  /** Takes over what a run had kept before. */
  set(name: string, slot: Slot): void {
    dispose([...(this.slots.get(name)?.state ?? [])]);
    this.slots.set(name, slot);
  }

  dispose(): void {
    for (const { state } of this.slots.values()) dispose([...state]);
    this.slots.clear();
  }
}
