// The one place where a Base is put together, so that every base has the same methods.
import type { Base } from '../model/model.ts';
import { disposal } from '../core/disposal.ts';
import { summarise } from './summarise.ts';

/** The parts of a base that differ from base to base. */
export type BaseParts = Omit<Base, 'summary' | 'dispose' | typeof Symbol.dispose>;

/** A base of its parts. Its `dispose` frees the trunk. */
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
