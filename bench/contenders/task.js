// What the contenders in JavaScript share: the task that they are given, how it is timed, and how they report.
import { parseArgs } from 'node:util';

/** The task, from the command line. */
export function readTask() {
  const text = (value) => ({ type: 'string', default: value });
  const { values } = parseArgs({
    options: {
      arch: text('mobilenet_v2'),
      work: text('extract'),
      images: text('64'),
      size: text('224'),
      epochs: text('10'),
      repeat: text('2'),
      classes: text('10'),
      batch: text('16'),
      threads: text('1'),
      files: text(''),
      lastBlocks: text(''),
      engine: text('own'),
    },
  });
  const numbers = ['images', 'size', 'epochs', 'repeat', 'classes', 'batch', 'threads'];
  return { ...values, ...Object.fromEntries(numbers.map((name) => [name, Number(values[name])])) };
}

/** Pictures of noise, values 0 … 1; the same in every process. */
export function noisePictures(count, size) {
  let state = 1;
  const value = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => Float32Array.from({ length: size * size * 3 }, value));
}

/** Class of a picture: they take turns. */
export function labelOf(index, classes) {
  return `class ${index % classes}`;
}

/** Seconds that something takes. */
export async function secondsOf(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** The least of what several runs give, after one that does not count; with 0 repeats that one counts. */
export async function bestOf(repeat, run) {
  const first = await run();
  let best = repeat === 0 ? first : Infinity;
  for (let i = 0; i < repeat; i++) best = Math.min(best, await run());
  return best;
}

/** Does one work after the other and prints one JSON object: what each gave, and the largest memory until its end. */
export async function reportWorks(about, works, names) {
  const done = {};
  for (const name of names) {
    if (!Object.hasOwn(works, name)) continue;
    done[name] = await works[name]().catch((error) => ({ error: error.message.split('\n')[0] }));
    done[name].peak = process.resourceUsage().maxRSS * 1024;
  }
  console.log(JSON.stringify({ ...about, works: done }));
}
