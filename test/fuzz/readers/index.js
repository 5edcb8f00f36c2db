// Everything that reads what others wrote. A reader has a name, a share of the time, and opens as seeds (small valid inputs)
// with a function that reads one input to numbers and frees all it made.
//
// A seed is `{ name, files, ranges?, pack? }`: bytes by name of file; the ranges of each file that a checksum of the format
// covers ('all', or pairs of offsets); and what makes the files that are read of those that are damaged, so that damage
// reaches what lies behind a checksum.
import { archives, modelArchives } from './archives.js';
import { checkpoints } from './checkpoints.js';
import { http, hub } from './addresses.js';
import { hdf5, hdf5Weights } from './hdf5.js';
import { neighbours } from './neighbours.js';
import { pictures } from './pictures.js';
import { graphModels, layersModels, savedModels } from './tfjsModels.js';

const all = [
  layersModels,
  graphModels,
  savedModels,
  hdf5,
  hdf5Weights,
  archives,
  modelArchives,
  checkpoints,
  neighbours,
  pictures,
  hub,
  http,
];

/**
 * The readers.
 *
 * @param load - Gives what they call: the names of `transferkit` and `transferkit/node`, `readKerasFile`, `loadKerasFile`,
 * `encodeCheckpoint` and `decodeCheckpoint`.
 */
export function makeReaders(load) {
  return all.map(({ name, share, open }) => ({ name, share, open: async (folder) => open(await load(), folder) }));
}
