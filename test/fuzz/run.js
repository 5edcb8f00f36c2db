// `npm run fuzz`: feeds damaged files to everything that reads files, and ends with 1 if one of them does harm.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../../bench/machine.js';
import { parseOptions, usage } from './options.js';
import { readers } from './readers/package.js';
import { replay, supervise, usualLimits } from './supervise.js';
import { badOf, codesOf, groupsOf, tableOf, tally } from './tally.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const failures = join(repository, '.cache/fuzz');
const page = join(repository, 'docs/reliability.md');
const common = { readers: new URL('readers/package.js', import.meta.url).href, failures, limits: usualLimits };

const options = readOptions();
if (options.replay === undefined) await fuzz();
else await replayOne(options.replay);

function readOptions() {
  try {
    const parsed = parseOptions(process.argv.slice(2));
    if (!parsed.help) return parsed;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

async function fuzz() {
  rmSync(failures, { recursive: true, force: true });
  const chosen = readers.filter(
    ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) throw new Error(`--only: none of ${readers.map(({ name }) => name).join('; ')}`);
  const began = Date.now();
  const found = await readAll(chosen);
  const seconds = Math.round((Date.now() - began) / 1000);
  const tallies = found.map(({ name, results }) => tally(name, results));
  const groups = found.flatMap(({ name, results }) => groupsOf(name, results));
  const bad = tallies.reduce((sum, each) => sum + badOf(each), 0);
  const text = reportOf(tallies, seconds);
  console.log(text);
  for (const { reader, kind, text, count, number } of groups) {
    const file = relative(repository, join(failures, `${reader}-${options.seed}-${number}.json`));
    console.log(`\n${count} × ${reader}, ${kind}: ${text}\n  npm run fuzz -- --replay '${file}'`);
  }
  if (options.write) write(text);
  console.log(bad === 0 ? '\nNo faults.' : `\n${bad} faults.`);
  process.exitCode = bad === 0 ? 0 : 1;
}

/** Readers take turns in the given number of processes, each for its share of the time. */
async function readAll(chosen) {
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const waiting = [...chosen];
  const found = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, share } = next;
      const milliseconds = (options.seconds * 1000 * Math.min(options.jobs, chosen.length) * share) / shares;
      const bounds =
        options.count === undefined
          ? { to: Number.MAX_SAFE_INTEGER, until: Date.now() + milliseconds }
          : { to: options.count };
      const results = await supervise({ ...common, reader: name, seed: options.seed, from: 0, ...bounds });
      found.push({ name, results });
      console.error(`${name}: ${results.length}`);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return chosen.map(({ name }) => found.find((each) => each.name === name));
}

function reportOf(tallies, seconds) {
  const require = createRequire(import.meta.url);
  const versions = ['@tensorflow/tfjs-core', 'h5wasm', 'sharp'].map((name) => `${name} ${versionOf(require, name)}`);
  const { processor, node } = describeMachine();
  const length = options.count === undefined ? `${seconds} s` : `${options.count} mutations a reader`;
  return [
    `Seed ${options.seed}, ${length}, Node ${node}, ${versions.join(', ')}, ${processor}:`,
    tableOf(tallies),
    codesOf(tallies),
  ].join('\n\n');
}

/** Not every package lets its package.json be imported. */
function versionOf(require, name) {
  const folder = require.resolve.paths(name).map((path) => join(path, name, 'package.json'));
  for (const path of folder) {
    try {
      return JSON.parse(readFileSync(path, 'utf8')).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}

function write(text) {
  const before = readFileSync(page, 'utf8');
  const after = before.replace(
    /(<!-- fuzz:begin -->)[^]*(<!-- fuzz:end -->)/,
    (_, begin, end) => `${begin}\n\n${text}\n\n${end}`,
  );
  writeFileSync(page, after);
}

async function replayOne(file) {
  const { reader } = JSON.parse(readFileSync(file, 'utf8'));
  const result = await replay({ ...common, reader, seed: 0, replay: file });
  console.log(JSON.stringify(result, null, 2));
  const isBad = result.faults !== undefined || !['equal', 'differ', 'refused'].includes(result.end);
  process.exitCode = isBad ? 1 : 0;
}
