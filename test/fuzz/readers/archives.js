// Keras's .keras, a ZIP archive with a CRC-32 of each file: damaged as it is, and in what it holds with the sums made right.
import { readFileSync } from 'node:fs';
import { unzipSync, zipSync } from 'fflate';
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
