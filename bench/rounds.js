// All contenders, one after the other, round after round: speed of a machine drifts, and whoever is compared must have
// seen the same weather.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { taskFor } from './architectures.js';
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
  const invited = contenders.filter(({ archs }) => archs.includes(arch));
  const present = await prepare(invited, { arch, size: options.size, classes: 10, files }, say);
  const reports = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of present.filter(({ rounds }) => round < rounds)) {
      const work = worksFor(arch, options).filter((name) => !contender.skip.includes(name));
      if (work.length === 0) continue;
      const task = { ...taskFor(arch, { ...taskOf(options), ...contender.task }), work, files };
      const start = performance.now();
      const report = await runContender(contender, task);
      say(`${arch}, round ${round + 1}: ${contender.name}, ${((performance.now() - start) / 1000).toFixed(0)} s`);
      if (report.error !== undefined) say(`  ${report.error}`);
      reports.push({ arch, contender: contender.id, round, ...report });
    }
  }
  return reports;
}

/** Contenders that could start, after they have written the files that they load. */
async function prepare(contenders, task, say) {
  const flags = Object.entries(task).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const ready = [];
  for (const contender of contenders) {
    const [program, ...args] = contender.prepare ?? [];
    const { code, complaints } = program === undefined ? { code: 0 } : await runProcess(program, [...args, ...flags]);
    if (code === 0) ready.push(contender);
    else
      say(
        `${task.arch}: ${contender.name} is left out, it ended with ${code}: ${complaints.trim().split('\n').at(-1)}`,
      );
  }
  return ready;
}
