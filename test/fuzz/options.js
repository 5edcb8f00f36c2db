// The command line of `npm run fuzz`.
import { parseArgs } from 'node:util';

export const usage = `npm run fuzz -- [options]

  --seconds <n>       how long, over all readers (default 60)
  --count <n>         mutations of each reader, however long they take
  --seed <n>          another seed, other mutations (default 1)
  --only a,b          readers whose names contain one of these
  --jobs <n>          child processes at a time (default 2)
  --write             write the table to docs/reliability.md
  --replay <file>     read one input of .cache/fuzz again

Mutation i of a reader follows from the seed, the reader and i alone. Inputs that show a fault are kept in .cache/fuzz.`;

export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      count: { type: 'string' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      jobs: { type: 'string', default: '2' },
      write: { type: 'boolean', default: false },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { count, only, replay, write, help } = values;
  return {
    seconds: whole('seconds', values.seconds, 1),
    count: count === undefined ? undefined : whole('count', count, 1),
    seed: whole('seed', values.seed, 0),
    jobs: whole('jobs', values.jobs, 1),
    only: only.split(',').filter((each) => each !== ''),
    replay,
    write,
    help,
  };
}

function whole(name, text, least) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: expected a whole number from ${least}, got ${text}`);
}
