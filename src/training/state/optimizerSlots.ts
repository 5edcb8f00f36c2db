// Optimizer state by weight, and the step that updates all weights.
import { dispose, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { at } from '../../core/at.ts';
import type { TrunkWeight } from '../../core/types.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';

/** State of one weight. */
export interface Slot {
  /** The optimizer's own state. */
  readonly state: readonly Tensor[];
  /** Number of steps of the weight since the state was made. */
  readonly steps: number;
}

/** Optimizer state by weight name. A weight has state from its first step on. */
export class OptimizerSlots {
  private readonly slots = new Map<string, Slot>();

  constructor(private readonly optimizer: Optimizer) {}

  /** The state by weight name; this object still owns it. */
  get byName(): ReadonlyMap<string, Slot> {
    return this.slots;
  }

  /** Makes state for weights that have none. Existing state is kept. */
  follow(weights: readonly TrunkWeight[]): void {
    for (const { name, variable } of weights) {
      if (this.slots.has(name)) continue;
      this.slots.set(name, { state: tidy(() => this.optimizer.init(variable)), steps: 0 });
    }
  }

  /**
   * Updates weights.
   *
   * @param gradients - One for each weight; the caller still owns them.
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

  /** Restores the state of an earlier process. */
  set(name: string, slot: Slot): void {
    dispose([...(this.slots.get(name)?.state ?? [])]);
    this.slots.set(name, slot);
  }

  dispose(): void {
    for (const { state } of this.slots.values()) dispose([...state]);
    this.slots.clear();
  }
}
