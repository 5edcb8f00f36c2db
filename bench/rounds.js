// All contenders, one after the other, round after round: speed of a machine drifts, and whoever is compared must have
// seen the same weather.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { taskOf, worksFor } from './options.js';
import { runContender, runProcess } from './runContender.js';

/**
 * Runs an architecture.
 *
 * @returns Reports: `{ arch, contender, round, name, version, threads, works }`.
 */
export async function runRounds(arch, contenders, options, folder, say) {
  const files = join(folder, arch);
  mkdirSync(files, { recursive: true });
  const present = contenders.filter(({ archs }) => archs.includes(arch));
  await prepare(present, { arch, size: options.size, classes: 10, files });
  const reports = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of present.filter(({ rounds }) => round < rounds)) {
      const work = worksFor(arch, options).filter((name) => !contender.skip.includes(name));
      if (work.length === 0) continue;
      const task = { ...taskOf(options), ...contender.task, arch, work, files };
      const start = performance.now();
      const report = await runContender(contender, task);
      say(`${arch}, round ${round + 1}: ${contender.name}, ${((performance.now() - start) / 1000).toFixed(0)} s`);
      if (report.error !== undefined) say(`  ${report.error}`);
      reports.push({ arch, contender: contender.id, round, ...report });
    }
  }
  return reports;
}

/** Files that the work of loading reads. */
async function prepare(contenders, task) {
  const flags = Object.entries(task).flatMap(([name, value]) => [`--${name}`, String(value)]);
  for (const { name, prepare: command } of contenders.filter((contender) => contender.prepare !== undefined)) {
    const [program, ...args] = command;
    const { code, complaints } = await runProcess(program, [...args, ...flags]);
    if (code !== 0) throw new Error(`${name} wrote no files to be loaded, and ended with ${code}: ${complaints}`);
  }
}
