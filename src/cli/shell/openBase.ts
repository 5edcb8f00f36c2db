// Loads the backend and the base that the options name.
import { loadBase, useBackend, type Base, type LoadBaseOptions } from '../../index.ts';
import type { ValuesOf } from './command.ts';
import { given } from './given.ts';
import type { choosingBase, computing, reading } from './sharedOptions.ts';
import type { Terminal } from './terminal.ts';

/** The base of a command line without --base: small, fast and good on photographs. */
const usualBase = 'mobilenet_v2';

/** Starts the backend that the options name. */
export async function openBackend({ backend, threads }: ValuesOf<typeof computing>): Promise<void> {
  await useBackend(backend, given({ threads }));
}

/** Loads a base. The progress of a download is shown. */
export async function openBase(values: ValuesOf<typeof choosingBase>, terminal: Terminal): Promise<Base> {
  const { base = usualBase, cut, preprocess } = values;
  return loadBase(base, { ...readingOptions(values, terminal), ...given({ cut, preprocess }) });
}

/** Options of `loadBase` about the file and its download. */
export function readingOptions(values: ValuesOf<typeof reading>, { download }: Terminal): LoadBaseOptions {
  const { alpha, weights, mirror, seed, 'input-size': inputSize } = values;
  // Other networks than presets take no seed, and these need one only for weights that are drawn.
  const source = weights === 'none' ? { weights: null, ...given({ seed }) } : given({ weights });
  return { ...given({ alpha, mirror, inputSize }), ...source, onProgress: download };
}
