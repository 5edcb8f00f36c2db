// WebGPU in Node, through the npm package webgpu, on the software driver that comes with Chromium.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { runFresh } from '../../support/freshProcess.ts';
import { isThorough } from '../../support/thorough.ts';

/** Not among the dependencies, as it takes 132 MB: `npm install --no-save webgpu`. */
const isInstalled = ((): boolean => {
  try {
    return createRequire(import.meta.url).resolve('webgpu') !== '';
  } catch {
    return false;
  }
})();
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';

const job = `
  import { engine } from '@tensorflow/tfjs-core';
  import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
  import { fineTune, fromArrays, load, loadBase, predict, replaceHead, save, useBackend } from 'transferkit';
  const { name } = await useBackend('webgpu');
  const network = sequential({ name: 'small' });
  const kernelInitializer = initializers.heNormal({ seed: 1 });
  network.add(layers.conv2d({ kernelSize: 3, filters: 4, inputShape: [8, 8, 3], kernelInitializer, name: 'conv' }));
  network.add(layers.globalAveragePooling2d({ name: 'pool' }));
  network.add(layers.dense({ units: 3, kernelInitializer, name: 'classifier' }));
  const inputs = Array.from({ length: 8 }, (_, i) => new Float32Array(192).map((_, j) => Math.sin(i + j * (1 + (i % 2)))));
  const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'even' : 'odd')) });
  const model = replaceHead(await loadBase(network), { labels: ['even', 'odd'], dropout: 0 });
  const log = await fineTune(model, samples, { epochs: 3, batchSize: 4, headEpochs: 0, learningRate: 0.05 });
  let saved;
  await save(model, { save: async (artifacts) => ((saved = artifacts), {}) });
  const again = await load({ load: async () => saved }, { task: 'classes' });
  const predicted = [await predict(model, inputs[0]), await predict(again, inputs[0])];
  const third = replaceHead(await loadBase(network), { labels: ['even', 'odd'] });
  await fineTune(third, samples, { epochs: 1, batchSize: 4, headEpochs: 0 });
  await useBackend('cpu');
  const moved = await predict(third, inputs[0]).catch(({ code, message }) => [code, message].join(' '));
  await useBackend('webgpu');
  engine().backend.device.destroy();
  const lost = await predict(again, inputs[0]).catch(({ code }) => code);
  const anew = await useBackend('webgpu');
  const losses = log.epochs.map(({ loss }) => loss);
  const hasNavigator = 'gpu' in (globalThis.navigator ?? {});
  console.log(JSON.stringify({ name, losses, predicted, moved, lost, anew: anew.name, hasNavigator }));`;

const lack = isInstalled
  ? existsSync(driver)
    ? ''
    : `, skipped: no ${driver}`
  : ', skipped: npm install --no-save webgpu';

describe.runIf(isThorough && lack === '')(`webgpu in Node${lack}`, () => {
  test('trains, saves, loads, is started anew after a loss, and lets the process end', async () => {
    const output = await runFresh(job, [], ['env', `VK_ICD_FILENAMES=${driver}`]);
    const found = JSON.parse(output) as Record<string, unknown> & { losses: number[]; predicted: [unknown, unknown] };
    expect(found).toMatchObject({ name: 'webgpu', lost: 'BACKEND_LOST', anew: 'webgpu', hasNavigator: false });
    expect(found.losses.at(-1)).toBeLessThan(found.losses[0]!);
    expect(found.predicted[1]).toEqual(found.predicted[0]);
    expect(found.moved).toMatch(/BACKEND_UNAVAILABLE .*predict: expected values that can be read synchronously/);
  });

  test('without a driver the error says so', async () => {
    const script = `
      import { useBackend } from 'transferkit';
      await useBackend('webgpu').catch(({ code, message }) => console.log(code, message));`;
    const output = await runFresh(script, [], ['env', 'VK_ICD_FILENAMES=/nowhere.json']);
    expect(output).toMatch(/^BACKEND_UNAVAILABLE .*there is no WebGPU adapter on this machine/);
  });
});
