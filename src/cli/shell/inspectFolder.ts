// Reads every picture of a folder once, and reports counts, sizes, unreadable files, duplicates and imbalance.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../core/errors.ts';
import { pictureHeader } from '../../core/pictureHeader.ts';
import { imagePreprocessor, isTransferKitError, type Samples } from '../../index.ts';
import { imageFolder } from '../../node.ts';
import { counted } from './textTable.ts';

/** What {@link inspectFolder} found. Files are relative to the folder. */
export interface FolderReport {
  readonly pictures: number;
  /** Number of pictures of each label; where the folder has parts, of each part too. */
  readonly labels: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Sizes as text, `width × height`; missing if no file says its size. */
  readonly sizes?: { readonly smallest: string; readonly median: string; readonly largest: string };
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
  /** Reasons by file. */
  readonly ignored: Readonly<Record<string, string>>;
  /** Groups of files with the same bytes. */
  readonly duplicates: readonly (readonly string[])[];
  readonly warnings: readonly string[];
}

interface Seen {
  readonly file: string;
  readonly label: string;
  readonly hash?: string;
  readonly size?: readonly [width: number, height: number];
  readonly reason?: string;
}

/** Fewer examples of a label make figures unreliable. */
const fewest = 10;
/** The largest label may have this many times the examples of the smallest one without a warning. */
const largestRatio = 5;

/** Files that are read at the same time. */
const atOnce = 8;

/** Reads a folder. */
export async function inspectFolder(
  folder: string,
  onProgress: (done: number, total: number) => void,
): Promise<FolderReport> {
  const pictures = await imageFolder(folder);
  const seen: Seen[] = [];
  for (let from = 0; from < pictures.size; from += atOnce) {
    const indexes = Array.from({ length: Math.min(atOnce, pictures.size - from) }, (_, i) => from + i);
    seen.push(...(await Promise.all(indexes.map((index) => look(pictures, index)))));
    onProgress(seen.length, pictures.size);
  }
  const duplicates = duplicatesAmong(seen);
  const parts = Object.entries(pictures.splits);
  const labels = Object.fromEntries(
    pictures.labels.map((label) => {
      const count = pictures.classCounts[label] ?? 0;
      return [
        label,
        { pictures: count, ...Object.fromEntries(parts.map(([part, set]) => [part, set.classCounts[label] ?? 0])) },
      ];
    }),
  );
  return {
    pictures: pictures.size,
    labels,
    ...sizesOf(seen),
    unreadable: seen.flatMap(({ file, reason }) => (reason === undefined ? [] : [{ file, reason }])),
    ignored: pictures.ignored.reasons,
    duplicates: duplicates.map((group) => group.map(({ file }) => file)),
    warnings: [...imbalance(pictures), ...contradictions(duplicates)],
  };
}

const decoder = imagePreprocessor({ mode: 'raw', size: [8, 8] });

/** Hash, size and whether it can be decoded, from one reading of the file. */
async function look(pictures: Samples<string>, index: number): Promise<Seen> {
  const { input, id } = await pictures.read(index);
  const seen = { file: id, label: String(pictures.target(index)) };
  try {
    const bytes = await readFile(input);
    const header = pictureHeader(bytes);
    const known = {
      ...seen,
      hash: createHash('sha256').update(bytes).digest('hex'),
      ...(header && { size: [header.width, header.height] as const }),
    };
    const reason = await decodingFault(bytes);
    return reason === undefined ? known : { ...known, reason };
  } catch (error) {
    return { ...seen, reason: reasonOf(error) };
  }
}

async function decodingFault(bytes: Uint8Array): Promise<string | undefined> {
  try {
    (await decoder.apply(bytes)).dispose();
    return undefined;
  } catch (error) {
    if (!isTransferKitError(error, 'UNREADABLE')) throw error;
    return reasonOf(error);
  }
}

function duplicatesAmong(seen: readonly Seen[]): Seen[][] {
  const groups = new Map<string, Seen[]>();
  for (const each of seen) {
    if (each.hash !== undefined) groups.set(each.hash, [...(groups.get(each.hash) ?? []), each]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function sizesOf(seen: readonly Seen[]): Pick<FolderReport, 'sizes'> {
  const sizes = seen.flatMap(({ size }) => (size === undefined ? [] : [size]));
  sizes.sort(([a, b], [c, d]) => a * b - c * d);
  const [smallest, median, largest] = [sizes[0], sizes[sizes.length >> 1], sizes.at(-1)];
  if (smallest === undefined || median === undefined || largest === undefined) return {};
  return { sizes: { smallest: smallest.join(' × '), median: median.join(' × '), largest: largest.join(' × ') } };
}

function imbalance({ labels, classCounts }: Samples): string[] {
  const counts = labels.map((label) => ({ label, count: classCounts[label] ?? 0 })).sort((a, b) => a.count - b.count);
  const [smallest, largest] = [counts[0], counts.at(-1)];
  if (smallest === undefined || largest === undefined) return [];
  const warnings = counts
    .filter(({ count }) => count < fewest)
    .map(({ label, count }) => `'${label}' has only ${counted(count, 'picture')}; ten are few`);
  if (labels.length < 2) warnings.push('there is one label only; training needs two');
  if (largest.count > largestRatio * smallest.count) {
    const text = `'${largest.label}' has ${String(largest.count)} pictures, '${smallest.label}' ${String(smallest.count)}`;
    warnings.push(`${text}: train with --balance`);
  }
  return warnings;
}

/** The same picture with two labels. */
function contradictions(duplicates: readonly (readonly Seen[])[]): string[] {
  return duplicates
    .filter((group) => new Set(group.map(({ label }) => label)).size > 1)
    .map((group) => `the same picture has several labels: ${group.map(({ file }) => file).join(', ')}`);
}
