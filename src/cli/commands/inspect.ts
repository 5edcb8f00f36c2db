// `transferkit inspect`: what a folder of pictures holds, and what will be in the way of training.
import { defineCommand } from '../shell/command.ts';
import { openBackend } from '../shell/openBase.ts';
import { inspectFolder, type FolderReport } from '../shell/inspectFolder.ts';
import { computing } from '../shell/sharedOptions.ts';
import { counted, textTable } from '../shell/textTable.ts';

/** Files of one kind that the text lists; JSON has all of them. */
const shownFiles = 20;

/** The command. */
export const command = defineCommand({
  name: 'inspect',
  text: 'Counts the pictures of a folder by label, and finds unreadable files, exact duplicates and imbalance.',
  places: ['folder'],
  options: { ...computing },
  examples: ['transferkit inspect photos', 'transferkit inspect photos --json'],
  async run({ values, places: [folder], terminal }) {
    await openBackend(values);
    const report = await inspectFolder(folder, terminal.counter('reading'));
    terminal.result(report, linesOf(report));
  },
});

function linesOf(report: FolderReport): string[] {
  const { pictures, labels, sizes, ignored, unreadable, duplicates, warnings } = report;
  const rows = Object.entries(labels).map(([label, counts]) => ({ label, ...counts }));
  return [
    `${counted(pictures, 'picture')} of ${counted(rows.length, 'label')}`,
    ...textTable(rows),
    ...(sizes === undefined
      ? []
      : ['', `width × height: ${sizes.smallest} to ${sizes.largest}, median ${sizes.median}`]),
    ...section(
      'unreadable',
      unreadable.map(({ file, reason }) => `${file}: ${reason}`),
    ),
    ...section(
      'ignored',
      Object.entries(ignored).map(([file, reason]) => `${file}: ${reason}`),
    ),
    ...section(
      'exact duplicates',
      duplicates.map((files) => files.join(' = ')),
    ),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `warning: ${warning}`)]),
  ];
}

function section(name: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more =
    lines.length > shownFiles ? [`  … and ${String(lines.length - shownFiles)} more (--json lists all)`] : [];
  return ['', `${name} (${String(lines.length)}):`, ...lines.slice(0, shownFiles).map((line) => `  ${line}`), ...more];
}
