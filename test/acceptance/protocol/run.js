// Chooses the defaults of fineTune: successive halving on small draws, then the best three on the full sets. Run it after
// `npm run build` with
//   TRANSFERKIT_DATA=<folder> node test/acceptance/protocol/run.js [--hours 6] [--workers 2]
// It goes on where it stopped; `node test/acceptance/protocol/table.js` prints what it has found.
import { fork } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { dirname } from 'node:path';
import { keyOf, readResults, resultsFile } from './results.js';
import { best } from './ranking.js';
import { settings } from './settings.js';

const { values } = parseArgs({ options: { hours: { type: 'string' }, workers: { type: 'string' } } });
const until = Date.now() + Number(values.hours ?? 6) * 3600_000;
const workers = Number(values.workers ?? 2);

/** Each round: what is drawn, and how many of the settings go on to the next one. */
const rounds = [
  { draws: drawsOf(['clothing', 'flowers12', 'ants_bees', 'emoji'], [10], [0]), keep: (count) => Math.ceil(count / 2) },
  { draws: drawsOf(['clothing', 'flowers12', 'ants_bees', 'emoji'], [5, 20], [0, 1]), keep: () => 3 },
  { draws: drawsOf(['emoji', 'ants_bees', 'flowers12', 'clothing'], ['all'], [0, 1, 2]), keep: () => 1 },
];

let names = Object.keys(settings);
await mkdir(dirname(resultsFile), { recursive: true });
for (const { draws, keep } of rounds) {
  const done = new Set((await readResults()).map(keyOf));
  const jobs = draws
    .map((each) => ({ ...each, names: names.filter((name) => !done.has(keyOf({ ...each, name }))) }))
    .filter((job) => job.names.length > 0);
  await Promise.all(Array.from({ length: workers }, () => takeJobs(jobs)));
  if (Date.now() > until) throw new Error('The hours are over. Run it again to go on.');
  names = best(await readResults(), draws, names).slice(0, keep(names.length));
  console.log(`on: ${names.join(', ')}`);
}

function drawsOf(names, fews, seeds) {
  return fews.flatMap((few) => seeds.flatMap((seed) => names.map((set) => ({ set, few, seed, fit: 'cover' }))));
}

/** Takes jobs from a list until it is empty or the time is over. */
async function takeJobs(jobs) {
  for (let job = jobs.shift(); job !== undefined && Date.now() < until; job = jobs.shift()) await runJob(job);
}

function runJob(job) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('job.js', import.meta.url));
    const written = [];
    child.on('message', ({ row }) => {
      written.push(appendFile(resultsFile, `${JSON.stringify(row)}\n`));
      console.log(`${row.set} ${row.few} ${row.seed} ${row.name}: ${row.head.accuracy} → ${row.accuracy}`);
    });
    child.on('exit', (code) => {
      if (code === 0) Promise.all(written).then(resolve, reject);
      else reject(new Error(`A job ended with code ${code}.`));
    });
    child.send(job);
  });
}
