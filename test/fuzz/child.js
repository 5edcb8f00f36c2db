// The process that reads damaged inputs, one after the other, until it is told to stop or until one of them ends it. Its task
// comes as JSON; results go to file descriptor 3, a line for each input.
import { fstatSync, mkdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, judge } from './judge.js';
import { mutate, prepareSeeds } from './mutate.js';

const results = 3;
const most = 5;
/** No input is being read. */
const nothing = -1;

const task = JSON.parse(process.argv[2]);
const { readers } = await import(task.readers);
const { name, open } = readers.find((each) => each.name === task.reader);
const reader = await open(task.folder);
const { seeds, expected } = await prepareSeeds(reader);

const progress = new SharedArrayBuffer(4);
new Int32Array(progress).fill(nothing);
new Worker(new URL('watch.js', import.meta.url), { workerData: { progress, results, limits: task.limits } }).unref();

let late;
process.on('unhandledRejection', (error) => (late = describe(error)));
process.on('uncaughtException', (error) => (late = describe(error)));
const watch = { written: written(), late: takeLate };
const kept = new Map();

try {
  if (task.replay !== undefined) await judged(0, inputOf(JSON.parse(readFileSync(task.replay, 'utf8'))));
  else for (let number = task.from; number < task.to && Date.now() < task.until; number++) await take(number);
  // A reader may end the process with 0 as well.
  writeSync(results, `${JSON.stringify({ isDone: true })}\n`);
  process.exit(0);
} catch (error) {
  // A fault of this program itself must not pass for one of a reader.
  console.error(error);
  process.exit(5);
}

async function take(number) {
  const input = mutate(seeds, name, task.seed, number);
  // What ends the process is written down by another one, which makes the input without reading it.
  if (task.keepOnly) return keep(number, input);
  const result = await judged(number, input);
  const kind = [result.end, ...Object.keys(result.faults ?? {}), result.stack ?? result.text].join();
  if (
    (result.faults === undefined && ['equal', 'differ', 'refused'].includes(result.end)) ||
    (kept.get(kind) ?? 0) >= most
  )
    return;
  kept.set(kind, (kept.get(kind) ?? 0) + 1);
  keep(number, input);
}

async function judged(number, input) {
  Atomics.store(new Int32Array(progress), 0, number);
  const result = await judge(reader, input, expected.get(input.seed.name), watch);
  writeSync(results, `${JSON.stringify({ number, ...result })}\n`);
  // A module whose memory is damaged says nothing about the next input.
  if (result.end === 'crash') process.exit(4);
  return result;
}

/** Writes an input down so that it can be read again. */
function keep(number, { seed, files, isProtected }) {
  const texts = Object.entries(files).map(([file, bytes]) => [file, Buffer.from(bytes).toString('base64')]);
  const path = join(task.failures, `${name}-${task.seed}-${number}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ reader: name, seed: seed.name, isProtected, files: Object.fromEntries(texts) }));
}

function inputOf({ seed, files, isProtected }) {
  const bytes = Object.entries(files).map(([file, text]) => [file, new Uint8Array(Buffer.from(text, 'base64'))]);
  return { seed: seeds.find((each) => each.name === seed), files: Object.fromEntries(bytes), isProtected };
}

/** What standard output and error received since it was asked last, by whatever library and language. */
function written() {
  const sizes = [1, 2].map((file) => fstatSync(file).size);
  return () =>
    [1, 2]
      .map((file, i) => {
        const [from, to] = [sizes[i], fstatSync(file).size];
        sizes[i] = to;
        if (to === from) return '';
        const bytes = Buffer.alloc(Math.min(300, to - from));
        readSync(file, bytes, 0, bytes.length, from);
        return bytes.toString();
      })
      .join('');
}

function takeLate() {
  const found = late;
  late = undefined;
  return found && `${found.code ?? found.text}`;
}
