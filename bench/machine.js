// What the figures were measured on.
import { availableParallelism, cpus, totalmem, type } from 'node:os';

/** Plain data about machine and Node; no names of people, hosts or folders. */
export function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${process.arch}`,
    node: process.version,
  };
}
