// The command line of `npm run bench`.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { architectures, quickArchitectures, works } from './architectures.js';

/** What the runner measures apart from the contenders. */
export const extras = ['import', 'bundle', 'growth', 'memory'];

const numbers = {
  rounds: 3,
  images: 64,
  size: 224,
  epochs: 10,
  repeat: 2,
  pictures: 300,
  threads: availableParallelism(),
};
/** In a quick run only what a change of the kernels shows first. */
const quickWorks = ['product', 'extract', 'full', 'bundle'];
const fewer = { rounds: 1, images: 16, epochs: 2, repeat: 1, pictures: 32 };

const usage = `npm run bench -- [options]

  --quick             a small run: one round, few pictures, only ${quickArchitectures.join(' and ')}; figures are rough
  --only a,b          some of: ${[...works, ...extras].join(', ')}
  --arch a,b          some of: ${Object.keys(architectures).join(', ')}
  --node <file>       a second Node to run this library on
  --rounds <n>        rounds over all contenders, best of them counts (default 3)
  --images <n>        pictures of the task (default 64)
  --threads <n>       for everybody but tfjs, which has one in Node (default: cores that the process may use)
  --out <folder>      where results.json and results.svg go (default bench/, for a partial run .cache/bench/)

BENCH_KERAS_PYTHON and BENCH_TORCH_PYTHON name a Python that has Keras on TensorFlow, and PyTorch with torchvision.
ONNX Runtime takes part once "npm run test:engine" has installed it.`;

/** Reads the command line; prints what there is and ends the process when asked, or when something is wrong. */
export function readOptions(args = process.argv.slice(2)) {
  try {
    const options = parseOptions(args);
    if (!options.help) return options;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(1);
  }
}

/** Every option with its value. Throws when one is unknown. */
export function parseOptions(args) {
  const text = Object.fromEntries([...textOptions, ...Object.keys(numbers)].map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ args, options: { ...text, quick: { type: 'boolean' }, help: { type: 'boolean' } } });
  const { quick = false, help = false, node } = values;
  const isPartial = quick || values.only !== undefined || values.arch !== undefined;
  const only = values.only?.split(',') ?? (quick ? quickWorks : [...works, ...extras]);
  const archs = values.arch?.split(',') ?? (quick ? quickArchitectures : Object.keys(architectures));
  assertKnown('only', only, [...works, ...extras]);
  assertKnown('arch', archs, Object.keys(architectures));
  const out = values.out ?? (isPartial ? '.cache/bench' : 'bench');
  return { quick, help, node, only, archs, out, ...settleNumbers(values, quick ? { ...numbers, ...fewer } : numbers) };
}

const textOptions = ['only', 'arch', 'node', 'out'];

function settleNumbers(values, defaults) {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const given = Number(values[name] ?? value);
      if (Number.isInteger(given) && given > 0) return [name, given];
      throw new Error(`--${name}: expected a whole number above 0, got ${values[name]}.`);
    }),
  );
}

/** What the contenders are told of it. */
export function taskOf({ images, size, epochs, repeat, threads }) {
  return { images, size, epochs, repeat, threads };
}

function assertKnown(option, names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`--${option}: there is no ${unknown.join(', ')}; known are ${known.join(', ')}.`);
}

/** Works to be done with an architecture. */
export function worksFor(arch, { only }) {
  return architectures[arch].works.filter((work) => only.includes(work));
}
