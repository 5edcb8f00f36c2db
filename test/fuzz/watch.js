// Runs beside the reader in a thread of its own: ends a process whose input takes too long or fills the memory. Time is the
// process's own on the processor, so that a busy machine makes no hangs.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { progress, results, limits } = workerData;
const current = new Int32Array(progress);
const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

let number = -1;
let began = 0;
let beganAt = 0;

setInterval(() => {
  const now = Atomics.load(current, 0);
  if (now !== number) [number, began, beganAt] = [now, seconds(), Date.now()];
  if (now < 0) return;
  const used = seconds() - began;
  const waited = (Date.now() - beganAt) / 1000;
  if (used > limits.seconds) end('hang', `over ${limits.seconds} s on the processor`);
  else if (waited > limits.idleSeconds && used < waited / 20) end('hang', `no answer in ${limits.idleSeconds} s`);
  else if (process.memoryUsage.rss() > limits.megabytes * 2 ** 20) end('memory', `over ${limits.megabytes} MB`);
}, limits.interval);

function end(kind, text) {
  writeSync(results, `${JSON.stringify({ number, end: kind, text })}\n`);
  process.kill(process.pid, 'SIGKILL');
}
