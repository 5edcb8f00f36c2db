// Prepares a release: `npm run release -- 0.2.0` checks and tests thoroughly, cuts the changelog, sets the version, packs, and
// uses the tarball in an empty folder as a new user would. It ends with the commands that publish, and runs none of them. With
// --dry-run nothing is tested, and all files are left unchanged.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What a new user would do first. */
const program = `
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { evaluate, fromTensors, load, loadBase, predict, replaceHead, save, trainHead, useBackend } from 'transferkit';

console.log('backend', (await useBackend()).name);
const network = sequential({ layers: [layers.dense({ units: 8, activation: 'relu', inputShape: [2] })] });
const model = replaceHead(await loadBase(network), { labels: ['left', 'right'] });
const points = Array.from({ length: 40 }, (_, i) => [i % 2 === 0 ? -1 - i / 40 : 1 + i / 40, i / 40]);
const samples = await fromTensors({ inputs: tf.tensor2d(points), targets: points.map(([x]) => (x < 0 ? 'left' : 'right')) });
await trainHead(model, samples);
const { accuracy } = await evaluate(model, samples);
console.log('accuracy', accuracy);
assert.equal(accuracy, 1);
const before = await predict(model, tf.tensor1d(points[0]));
await save(model, 'model');
assert.deepEqual(await predict(await load('model'), tf.tensor1d(points[0])), before);
console.log('saved and loaded: the same predictions');
`;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'dry-run': { type: 'boolean' } },
});
const isDry = options['dry-run'] === true;
const [version] = positionals;

const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

assertNewer(version, manifest.version);
if (!isDry) {
  if (run('git', ['status', '--porcelain']) !== '') fail('commit or undo what is changed first');
  run('npm', ['run', 'check']);
  run('npm', ['run', 'docs', '--', '--emit', 'none']);
  run('npm', ['run', 'test:thorough']);
}
const kept = ['CHANGELOG.md', 'package.json', 'package-lock.json'].map((name) => [
  name,
  readFileSync(join(root, name)),
]);
try {
  cutChangelog();
  run('npm', ['version', version, '--no-git-tag-version', '--allow-same-version']);
  run('npm', ['run', 'build', '--', '--silent']);
  const tarball = join(root, JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts']))[0].filename);
  useAsNewUser(tarball);
  if (isDry) rmSync(tarball);
  console.log(`transferkit ${version} is ready: ${isDry ? 'a dry run, nothing was kept' : tarball}`);
  console.log(
    `git commit -am 'release: ${version}' && git tag v${version} && npm publish ${isDry ? '<tarball>' : tarball}`,
  );
} finally {
  if (isDry) for (const [name, bytes] of kept) writeFileSync(join(root, name), bytes);
}

function assertNewer(next, present) {
  const numbers = (text) =>
    /^(\d+)\.(\d+)\.(\d+)$/
      .exec(text ?? '')
      ?.slice(1)
      .map(Number);
  const [after, before] = [numbers(next), numbers(present)];
  if (after === undefined) fail(`expected a version such as 0.2.0, got ${next ?? 'none'}`);
  const first = after.findIndex((number, place) => number !== before[place]);
  if (first < 0 || after[first] < before[first]) fail(`expected a version above ${present}, got ${next}`);
}

/** What is under Unreleased goes under the version and today's date. */
function cutChangelog() {
  const path = join(root, 'CHANGELOG.md');
  const text = readFileSync(path, 'utf8');
  const [head, rest] = text.split('## Unreleased\n');
  if (rest === undefined || !/^- /m.test(rest.split('\n## ')[0]))
    fail('CHANGELOG.md has nothing under "## Unreleased"');
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync(path, `${head}## Unreleased\n\n## ${version} (${today})\n${rest}`);
}

/** Installs the tarball and its peers in an empty folder, and trains, saves and loads there. */
function useAsNewUser(tarball) {
  const folder = mkdtempSync(join(tmpdir(), 'transferkit-release-'));
  try {
    const peers = Object.keys(manifest.peerDependencies).filter((name) => !/webgl|webgpu|sharp/.test(name));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
    run(
      'npm',
      [
        'install',
        '--silent',
        '--no-audit',
        tarball,
        ...peers.map((name) => `${name}@${manifest.peerDependencies[name]}`),
      ],
      folder,
    );
    writeFileSync(join(folder, 'use.js'), program);
    console.log(run(process.execPath, ['use.js'], folder).trim());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fail(reason) {
  console.error(`release: ${reason}.`);
  process.exit(1);
}
