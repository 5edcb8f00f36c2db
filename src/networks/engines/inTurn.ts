// Programs that run one after the other.
import type { Program } from './engine.ts';

/** Runs programs one after the other. The caller keeps the input. */
export function inTurn(programs: readonly Program[]): Program {
  return {
    leftToOwn: programs.flatMap(({ leftToOwn }) => leftToOwn),
    async run(input) {
      let x = input;
      for (const program of programs) {
        try {
          const next = await program.run(x);
          if (x !== input) x.dispose();
          x = next;
        } catch (error) {
          if (x !== input) x.dispose();
          throw error;
        }
      }
      return x;
    },
    dispose() {
      for (const program of programs) program.dispose();
    },
    toString: () => programs.map(String).join('\n'),
  };
}
