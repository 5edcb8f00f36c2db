// Checkpoints in a folder: whole files or none, whatever happens to the process or the disk.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openCheckpoints } from '../../../src/platform/node/checkpoints.ts';
import { runFresh, startFresh } from '../../support/freshProcess.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-checkpoints-'));
let folder = '';
let tests = 0;
beforeEach(() => {
  folder = join(root, String(tests++));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const files = () => readdirSync(folder).sort();
const name = 'head-000001.safetensors';
const left = `${name}.0123456789ab.tmp`;

test('stores files by name, in a folder that it creates', async () => {
  folder = join(folder, 'a', 'b');
  const store = await openCheckpoints(folder);
  expect(await store.list()).toEqual([]);
  await store.write(name, Uint8Array.of(1, 2));
  await store.write(name, Uint8Array.of(3));
  await store.write('head-000002.safetensors', Uint8Array.of(4));
  expect([...(await store.list())].sort()).toEqual([name, 'head-000002.safetensors']);
  expect(Array.from(await store.read(name))).toEqual([3]);
  await store.remove(name);
  await store.remove(name);
  expect(files()).toEqual(['head-000002.safetensors']);
  await expect(store.read(name)).rejects.toThrow('ENOENT');
});

test('removes partial files of a killed process, and nothing else', async () => {
  mkdirSync(folder);
  for (const each of [left, name, 'notes.tmp', 'model.json.0123456789ab.tmp']) writeFileSync(join(folder, each), 'x');
  const store = await openCheckpoints(folder);
  expect(files()).toEqual([name, 'model.json.0123456789ab.tmp', 'notes.tmp'].sort());
  writeFileSync(join(folder, left), 'of another process');
  expect(await store.list()).not.toContain(left);
});

describe('an invalid store', () => {
  test.each(['indexeddb://here', 'https://example.org/a', 's3://bucket'])('%s is not a folder', async (location) => {
    await expect(openCheckpoints(location)).rejects.toMatchObject({ code: 'INVALID_OPTION', details: { location } });
    await expect(openCheckpoints(location)).rejects.toThrow(
      `expected checkpoint.to to be the path of a folder, got ${location}. For checkpoints elsewhere, give an object with list, read, write and remove.`,
    );
  });

  test('a file raises an error before training begins', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), '');
    await expect(openCheckpoints(join(folder, 'file', 'here'))).rejects.toMatchObject({ code: 'SAVE_FAILED' });
    await expect(openCheckpoints(join(folder, 'file'))).rejects.toThrow(
      /expected to keep checkpoints in .*file, but: E\w+.*\. What was there before is unchanged\./,
    );
  });

  test.runIf(existsSync('/proc/self'))('a file system without space for folders raises an error', async () => {
    await expect(openCheckpoints('/proc/here')).rejects.toThrow(/expected to keep checkpoints in \/proc\/here, but: /);
  });

  test('a folder that is removed during the run raises an error when a checkpoint is due', async () => {
    const store = await openCheckpoints(folder);
    rmSync(folder, { recursive: true });
    await expect(store.write(name, Uint8Array.of(1))).rejects.toMatchObject({ code: 'SAVE_FAILED' });
  });
});

/** Writes checkpoints of equal bytes without end. */
const writing = `
import { platform } from '#platform';
const store = await platform.openCheckpoints(process.argv[2]);
for (let round = 0; ; round++) {
  const name = 'head-' + String(round % 3).padStart(6, '0') + '.safetensors';
  await store.write(name, new Uint8Array(2_000_000).fill(round % 251));
  if (round === 3) console.log('writes');
}
`;

test('kill -9 during writing leaves only whole files', async () => {
  for (const wait of [0, 3, 11]) {
    const child = await startFresh(writing, [folder]);
    await new Promise((resolve) => setTimeout(resolve, wait));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openCheckpoints(folder);
    expect(files()).toEqual([0, 1, 2].map((number) => `head-00000${number}.safetensors`));
    for (const each of files()) {
      const bytes = await store.read(each);
      expect(bytes.length).toBe(2_000_000);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    }
  }
});

/** Whether this process may mount a small disk that nobody else sees. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', root], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Trains on a disk of 256 KiB that is filled in the third epoch; then resumes on the full disk, and with room. */
const onFullDisk = `
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { layers, initializers, sequential } from '@tensorflow/tfjs-layers';
import { fromArrays, loadBase, replaceHead, trainHead, useBackend } from 'transferkit';
const [, , disk] = process.argv;
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
await useBackend('cpu');
const inputs = Array.from({ length: 8 }, (_, i) => [i, 1, 2, 3]);
const samples = fromArrays({ inputs, targets: inputs.map((_, i) => 'ab'[i % 2]) });
async function train(checkpoint, resume, onEpoch) {
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  const network = sequential();
  network.add(layers.dense({ inputShape: [4], units: 8, kernelInitializer, name: 'first' }));
  network.add(layers.dense({ units: 3, kernelInitializer, name: 'last' }));
  const model = replaceHead(await loadBase(network), { labels: ['a', 'b'], hidden: [200] });
  const { epochs, warnings } = await trainHead(model, samples, { epochs: 6, batchSize: 4, checkpoint, resume, onEpoch });
  const kernel = Array.from(model.head.trunk.weights[0].variable.dataSync());
  return { losses: epochs.map(({ loss }) => loss), warnings, kernel, files: checkpoint && readdirSync(disk).sort() };
}
const plain = await train();
const fill = ({ epoch }) => {
  if (epoch !== 2) return; // its own checkpoint comes after this
  try {
    writeFileSync(disk + '/filler', new Uint8Array(2 ** 20));
  } catch {}
};
const filled = await train({ to: disk }, false, fill);
const full = await train({ to: disk }, true);
rmSync(disk + '/filler');
const roomy = await train({ to: disk }, true);
console.log(JSON.stringify([plain, filled, full, roomy]));
`;

interface Trained {
  readonly losses: readonly number[];
  readonly kernel: readonly number[];
  readonly warnings?: readonly string[];
  readonly files?: readonly string[];
}

test.runIf(canMount())('a full disk: training continues, existing files remain, no partial file is left', async () => {
  mkdirSync(folder);
  const printed = await runFresh(onFullDisk, [folder], ['unshare', '-rm']);
  const [plain, filled, full, roomy] = JSON.parse(printed) as Trained[];
  for (const { losses, kernel } of [filled!, full!, roomy!]) {
    expect(losses).toEqual(plain!.losses);
    expect(kernel).toEqual(plain!.kernel);
  }
  const aboutDisk = ({ warnings = [] }: Trained) => warnings.filter((text) => text.includes('checkpoint'));
  expect(aboutDisk(filled!)).toEqual([
    expect.stringMatching(
      /^Expected to keep a checkpoint after step 6 \(epoch 3\), but: expected to keep checkpoints in .*, but: ENOSPC: no space left on device, write\. What was there before is unchanged\. Training goes on/,
    ),
  ]);
  expect(filled!.files).toEqual(['filler', 'head-000001.safetensors', 'head-000002.safetensors']);
  expect(full!.files).toEqual(filled!.files);
  expect(aboutDisk(full!)).toHaveLength(1);
  expect(aboutDisk(roomy!)).toEqual([]);
  expect(roomy!.files).toHaveLength(2);
});
