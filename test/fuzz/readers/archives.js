// ZIP archives with a CRC-32 of each file, Keras's .keras and those of `save`: damaged as they are, and in what they hold
// with the sums made right.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { tinyNetwork } from './tfjsModels.js';
import { takeOutputs, tensors } from './values.js';

export const archives = {
  name: '.keras',
  share: 3,
  open: async (api) => {
    await api.useBackend('wasm', { threads: 1 });
    const stored = new Uint8Array(readFileSync(new URL('../../golden/keras/sequential.keras', import.meta.url)));
    const inside = unzipSync(stored);
    const pack = (files) => ({ 'model.keras': zipSync(files, { level: 0 }) });
    const seeds = [
      { name: 'stored', files: { 'model.keras': stored }, ranges: { 'model.keras': 'all' } },
      { name: 'deflated', files: { 'model.keras': zipSync(inside) }, ranges: { 'model.keras': 'all' } },
      { name: 'inside', files: inside, pack },
    ];
    return { seeds, tensors, read: async (files) => takeOutputs(await api.loadBase(files['model.keras'])) };
  },
};

export const modelArchives = {
  name: 'model.zip',
  share: 3,
  open: async (api, folder) => {
    await api.useBackend('wasm', { threads: 1 });
    const model = api.replaceHead(await api.loadBase(tinyNetwork(), { preprocess: 'tf' }), { labels: ['a', 'b'] });
    const path = join(folder, 'seed.zip');
    await api.save(model, path);
    model.dispose();
    const stored = new Uint8Array(readFileSync(path));
    const inside = unzipSync(stored);
    const pack = (files) => ({ 'model.zip': zipSync(files, { level: 0 }) });
    const seeds = [
      { name: 'stored', files: { 'model.zip': stored }, ranges: { 'model.zip': 'all' } },
      { name: 'deflated', files: { 'model.zip': zipSync(inside) }, ranges: { 'model.zip': 'all' } },
      { name: 'inside', files: inside, pack },
    ];
    return { seeds, tensors, read: async (files) => takeOutputs(await api.loadBase(files['model.zip'])) };
  },
};
