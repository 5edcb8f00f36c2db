// The bench: everybody at the same work on the same machine in one run. `npm run bench -- --help` tells the options.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawChart } from './chart.js';
import { contendersOf } from './contenders.js';
import { featureMemory } from './featureMemory.js';
import { figuresOf } from './figures.js';
import { judge } from './goals.js';
import { growthFigures, measureGrowth } from './growth.js';
import { describeMachine } from './machine.js';
import { readOptions, taskOf } from './options.js';
import { bundleFigures, importFigures, memoryFigures } from './packageFigures.js';
import { findPhotographs, writePictures } from './pictures.js';
import { printResults } from './report.js';
import { runRounds } from './rounds.js';

const options = readOptions();
const contenders = contendersOf(options);
const ours = contenders.filter(({ id }) => id.startsWith('ours'));
const say = (line) => console.error(line);
const wants = (work) => options.only.includes(work);

const folder = mkdtempSync(join(tmpdir(), 'transferkit-bench-'));
try {
  const results = await measure();
  printResults(results);
  write(results);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure() {
  const ofPackage = [
    ...((await attempt('bundle', bundleFigures)) ?? []),
    ...((await attempt('import', () => importFigures(ours, options.quick ? 3 : 15))) ?? []),
  ];
  const reports = await measureContenders();
  const growth = await attempt('growth', () => measureGrowth(options));
  const memory = await attempt('memory', async () => featureMemory());
  const figures = [
    ...figuresOf(reports),
    ...ofPackage,
    ...(growth === undefined ? [] : growthFigures(growth)),
    ...(memory === undefined ? [] : memoryFigures(memory)),
  ];
  return {
    machine: describeMachine(),
    task: { ...taskOf(options), pictures: options.pictures, rounds: options.rounds, batch: 16, classes: 10 },
    contenders: contenders.map((contender) => describeContender(contender, reports)),
    figures,
    growth,
    featureMemory: memory,
    verdicts: ours.map(({ id, name }) => ({ contender: id, name, goals: judge(figures, id) })),
  };
}

/** Measures one thing if it is wanted; a failure is told and does not cost the rest of the run. */
async function attempt(name, run) {
  if (!wants(name)) return undefined;
  try {
    const found = await run();
    say(`${name}: measured`);
    return found;
  } catch (error) {
    say(`${name}: ${error.message}`);
    return undefined;
  }
}

async function measureContenders() {
  if (wants('folder')) {
    const data = process.env.TRANSFERKIT_DATA;
    const photographs = data === undefined ? [] : await findPhotographs(join(data, 'images', 'ants_bees'));
    await writePictures(join(folder, 'pictures'), options.pictures, 10, photographs);
  }
  const reports = [];
  for (const arch of options.archs) reports.push(...(await runRounds(arch, contenders, options, folder, say)));
  return reports;
}

/** What a contender says about itself. */
function describeContender({ id, name }, reports) {
  const said = reports.find((report) => report.contender === id && report.name !== undefined);
  return {
    id,
    name,
    about: said === undefined ? 'took no part' : `${said.name}, ${said.version}`,
    threads: said?.threads,
  };
}

function write(results) {
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(options.out, 'results.svg'), drawChart(results));
  say(`written: ${join(options.out, 'results.json')}, results.svg`);
}
