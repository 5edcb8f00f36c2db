// A worker of a page against Node, in turn, on the same pictures with the same number of threads: `npm run bench:page`.
// Needs Chromium (CHROMIUM_PATH).
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import * as transferkit from 'transferkit';
import { describeMachine } from '../machine.js';
import { findPhotographs, writePictures } from '../pictures.js';
import { median, secondsForHead, targets, task } from './task.js';

const threads = Math.min(2, describeMachine().cores);
const pictures = await drawPictures();
const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction('globalThis.bench !== undefined');
  const report = await page.evaluate(`bench.start(${threads})`);
  await transferkit.useBackend('wasm', { threads });
  const samples = transferkit.fromArrays({ inputs: pictures, targets });
  const rounds = [];
  // The first round compiles and caches; it does not count.
  for (let round = 0; round <= task.rounds; round++) {
    const node = await secondsForHead(transferkit, samples);
    node.model.dispose();
    const worker = await page.evaluate('bench.head()');
    if (round > 0) rounds.push({ node: node.seconds, worker: worker.seconds, longestGap: worker.longestGap });
  }
  const live = await page.evaluate('bench.live(5)');
  const { processor, cores, node } = describeMachine();
  console.log(`${processor}, ${cores} cores, Node ${node}, Chromium ${browser.version()}`);
  console.log(`threads: Node ${threads}, worker ${report.threads}`);
  console.table(rounds);
  console.log(`worker / Node: ${median(rounds.map(({ node, worker }) => worker / node)).toFixed(2)}`);
  console.log(
    `longest gap of the page's timer: ${Math.max(...rounds.map(({ longestGap }) => longestGap)).toFixed(0)} ms`,
  );
  console.log(
    `video of 640 × 480: ${live.perSecond.toFixed(1)} predictions a second, gap ${live.longestGap.toFixed(0)} ms`,
  );
} finally {
  await browser.close();
  server.close();
}

/** JPEGs like photographs from the web, in the order of their labels. */
async function drawPictures() {
  const folder = await mkdtemp(join(tmpdir(), 'transferkit-bench-'));
  try {
    await writePictures(folder, task.count, task.labels.length);
    const paths = await findPhotographs(folder);
    return await Promise.all(paths.map((path) => readFile(path)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function bundle(path) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    ...{
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      logLevel: 'error',
      tsconfigRaw: '{}',
    },
  });
  return outputFiles[0].contents;
}

async function serve() {
  const scripts = { '/page.js': await bundle('page.js'), '/worker.js': await bundle('worker.js') };
  const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
  const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const send = (type, body) => response.writeHead(200, { 'content-type': type, ...isolated }).end(body);
    const picture = /^\/(\d+)\.jpg$/.exec(request.url);
    if (picture !== null) send('image/jpeg', pictures[Number(picture[1])]);
    else if (scripts[request.url] !== undefined) send('text/javascript', scripts[request.url]);
    else send('text/html', html);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
