// Threads in Node, and how many are useful.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Threads } from '../../core/platform.ts';

/** Worker threads. */
export const nodeThreads: Threads = {
  cores: () => Math.max(1, Math.min(availableParallelism(), ...cgroupLimits())),
  mayWait: true,
  start(source, data) {
    const worker = new Worker(`(${source})(require('node:worker_threads').workerData)`, {
      eval: true,
      workerData: data,
      // Without the app's own arguments, such as loaders and inspectors; they are in NODE_OPTIONS too.
      execArgv: [],
      env: {},
    });
    // Without a listener the process would end. The work continues without the thread.
    worker.on('error', () => undefined);
    worker.unref();
    const terminate = () => void worker.terminate();
    return Promise.resolve({ terminate });
  },
};

/** Number of cores that corresponds to a container's CPU limit (Linux, cgroup 2 and 1). */
function cgroupLimits(): number[] {
  const [quota, period] = readNumbers('/sys/fs/cgroup/cpu.max');
  const [oldQuota] = readNumbers('/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
  const [oldPeriod] = readNumbers('/sys/fs/cgroup/cpu/cpu.cfs_period_us');
  return [coresOf(quota, period), coresOf(oldQuota, oldPeriod)].flatMap((cores) => cores ?? []);
}

function coresOf(quota: number | undefined, period: number | undefined): number | undefined {
  if (quota === undefined || period === undefined || !(quota > 0 && period > 0)) return undefined;
  return Math.ceil(quota / period);
}

/** Numbers of a one-line file; a word such as `max` is NaN; [] when there is no such file. */
function readNumbers(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').trim().split(/\s+/).map(Number);
  } catch {
    return [];
  }
}
