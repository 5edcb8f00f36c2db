// A service of MobileNetV2 under sixteen clients, most of them bad ones, for a minute: no crash, no leak, a reason for
// every bad request. The clients are in this process, the service in another one. Run: node test/acceptance/serve.js [seconds]
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import sharp from 'sharp';

const project = fileURLToPath(new URL('../../', import.meta.url));
const seconds = Number(process.argv[2] ?? 60);
const folder = join(project, '.cache');

const server = `
import * as tf from '@tensorflow/tfjs-core';
import { load } from './src/index.ts';
import { serveModel } from './src/node.ts';
const model = await load('mobilenet_v2', { weights: null });
const failures = [];
let times = [];
const service = await serveModel(model, {
  port: 0,
  topK: 5,
  maxSeconds: 5,
  onAnswer: ({ error, status, seconds }) => {
    if (error !== undefined) failures.push(String(error));
    if (status === 200) times.push(1000 * seconds);
  },
});
process.on('message', async (question) => {
  if (question === 'close') {
    const since = performance.now();
    await service.close();
    process.send({ seconds: (performance.now() - since) / 1000, failures });
    process.disconnect();
    return;
  }
  // What is on its way when the clients stop is no leak.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 100));
  globalThis.gc();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const milliseconds = times.sort((a, b) => a - b);
  times = [];
  process.send({ milliseconds, tensors: tf.memory().numTensors, rss, heapUsed, external, arrayBuffers });
});
process.on('disconnect', () => process.exit());
process.send({ url: service.url });
`;

/** Bundles code of this project from its sources. */
async function bundle(contents, name) {
  const outfile = join(folder, name);
  await build({
    stdin: { contents, resolveDir: project, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    alias: { '#platform': join(project, 'src/platform/node/platform.ts') },
    logLevel: 'error',
  });
  return outfile;
}

mkdirSync(folder, { recursive: true });
const { storm } = await import(await bundle(`export { storm } from './test/serve/storm.ts';`, 'storm.mjs'));
const child = fork(await bundle(server, 'served.mjs'), { execArgv: ['--expose-gc'] });
let exit;
child.on('exit', (code, signal) => {
  exit = code ?? signal;
});
const next = () => new Promise((resolve) => child.once('message', resolve));
const ask = (question) => {
  const answer = next();
  child.send(question);
  return answer;
};

const { url } = await next();
const noise = { type: 'gaussian', mean: 128, sigma: 40 };
const good = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#888', noise } })
  .jpeg()
  .toBuffer();

// The first seconds fill caches and pools: what grows after them is a leak.
await storm(url, good, Math.min(10, seconds / 3));
await ask('memory');
const alone = await storm(url, good, Math.min(10, seconds / 3), ['good']);
const before = await ask('memory');
const { answers, unexpected, milliseconds } = await storm(url, good, seconds);
const after = await ask('memory');
const { seconds: closing, failures } = await ask('close');
await new Promise((resolve) => (exit === undefined ? child.once('exit', resolve) : resolve()));

const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
console.log(answers);
/** The value below which a share of ascending values lies. */
const quantile = (ascending, share) =>
  ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? NaN;

/** Prints quantiles of times in milliseconds, as clients or the service measured them. */
function tell(name, times) {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(0));
  console.log(`${name}: ${times.length} good pictures, p50 ${p50} ms, p99 ${p99} ms, at most ${most} ms`);
}
tell('seven good clients alone', alone.milliseconds);
tell('the same, in the service', before.milliseconds);
tell('among nine bad ones', milliseconds);
tell('the same, in the service', after.milliseconds);
for (const key of ['rss', 'heapUsed', 'external', 'arrayBuffers']) {
  console.log(`${key}: ${megabytes(before[key])} before, ${megabytes(after[key])} after`);
}
console.log(
  `tensors: ${before.tensors} before, ${after.tensors} after; closed in ${closing.toFixed(2)} s, exit code ${exit}`,
);

const faults = [
  ...unexpected.slice(0, 10),
  ...failures.slice(0, 10),
  ...(after.tensors === before.tensors ? [] : ['tensors leak']),
  ...(after.heapUsed - before.heapUsed < 10 * 2 ** 20 ? [] : ['the heap grows']),
  ...(after.arrayBuffers - before.arrayBuffers < 32 * 2 ** 20 ? [] : ['buffers are kept']),
  ...(after.rss - before.rss < 100 * 2 ** 20 ? [] : ['the process grows']),
  ...(exit === 0 ? [] : [`the service ended with ${exit}`]),
];
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
