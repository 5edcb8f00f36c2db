// The sets of a folder of pictures: its given parts, or the whole of it.
import { imageFolder, type GivenPart } from '../../node.ts';
import type { Samples } from '../../index.ts';
import { counted } from './textTable.ts';
import type { Terminal } from './terminal.ts';

/** A set and its name in texts. */
export interface NamedSet {
  readonly name: string;
  readonly samples: Samples<string>;
}

/** Samples for training, with the given parts for validation and test if the folder has them. */
export interface TrainingSets {
  readonly labels: readonly string[];
  readonly train: Samples<string>;
  readonly validation: Samples<string> | undefined;
  readonly test: Samples<string> | undefined;
}

/** Reads a folder for training, and notes what it holds. */
export async function trainingSets(folder: string, skip: boolean, terminal: Terminal): Promise<TrainingSets> {
  const pictures = await imageFolder(folder, { onUnreadable: skip ? 'skip' : 'error' });
  const { train, validation, test } = pictures.splits;
  const isSplit = Object.keys(pictures.splits).length > 0;
  const samples = isSplit ? (train ?? pictures.part('train')) : pictures;
  terminal.note(`${counted(samples.size, 'picture')} of ${counted(pictures.labels.length, 'label')} in ${folder}`);
  return { labels: pictures.labels, train: samples, validation, test };
}

/** Reads a folder to measure on: the part that is asked for, else `test`, else `validation`, else the whole. */
export async function measuringSet(folder: string, part: GivenPart | undefined, skip: boolean): Promise<NamedSet> {
  const pictures = await imageFolder(folder, { onUnreadable: skip ? 'skip' : 'error' });
  const { test, validation } = pictures.splits;
  if (part !== undefined) return { name: `${folder}, ${part}`, samples: pictures.part(part) };
  if (test !== undefined) return { name: `${folder}, test`, samples: test };
  if (validation !== undefined) return { name: `${folder}, validation`, samples: validation };
  return { name: folder, samples: pictures };
}
