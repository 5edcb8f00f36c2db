// Puts a Base together. All bases are made here, so that they have the same methods.
import type { Base } from '../model/model.ts';
import { disposal } from '../core/disposal.ts';
import { summarise } from './summarise.ts';

/** The parts that differ between bases. */
export type BaseParts = Omit<Base, 'summary' | 'dispose' | typeof Symbol.dispose>;

/** Makes a base from its parts. Its `dispose` frees the trunk. */
export function createBase(parts: BaseParts): Base {
  return {
    ...parts,
    ...disposal(),
    summary: () => summarise(parts),
    dispose: () => {
      parts.trunk.dispose();
    },
  };
}
