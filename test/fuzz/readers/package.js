// The readers of the built package.
import { makeReaders } from './index.js';

async function load() {
  const parts = await Promise.all([
    import('transferkit'),
    import('transferkit/node'),
    import('../../../dist/formats/keras/kerasFile.js'),
    import('../../../dist/training/resume/checkpointFile.js'),
  ]);
  return Object.assign({}, ...parts);
}

export const readers = makeReaders(load);
