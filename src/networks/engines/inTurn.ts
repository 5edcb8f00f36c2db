// Programs that run one after the other.
import type { Program } from './engine.ts';

/** Runs programs one after the other. The caller keeps the input. */
export function inTurn(programs: readonly Program[]): Program {
  return {
    leftToOwn: programs.flatMap(({ leftToOwn }) => leftToOwn),
    async run(input) {
      let x = input;
      for (const program of programs) {
        const from = x;
        try {
          x = await program.run(from);
        } finally {
          if (from !== input) from.dispose();
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
