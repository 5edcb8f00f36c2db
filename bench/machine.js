// What the figures were measured on.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem, type } from 'node:os';

/** Plain data about machine and Node; no names of people, hosts or folders. */
export function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    vectorUnits: vectorUnits(),
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${process.arch}`,
    node: process.version,
  };
}

/** The widest vector instructions of the processor; undefined where the system does not tell. */
function vectorUnits() {
  if (process.arch === 'arm64') return 'NEON';
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' '));
    return ['avx512f', 'avx2', 'avx', 'sse4_2'].find((flag) => flags.has(flag));
  } catch {
    return undefined;
  }
}
