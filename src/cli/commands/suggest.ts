// `transferkit suggest`: ranks the layers where a base can be cut by what pictures of a folder say.
import { suggestCut } from '../../index.ts';
import { defineCommand } from '../shell/command.ts';
import { given } from '../shell/given.ts';
import { openBackend, openBase } from '../shell/openBase.ts';
import { trainingSets } from '../shell/pictureSets.ts';
import { choosingBase, computing } from '../shell/sharedOptions.ts';
import { textTable } from '../shell/textTable.ts';

/** The command. */
export const command = defineCommand({
  name: 'suggest',
  text: 'Ranks the layers where a base can be cut, by the accuracy of a linear classifier on their features.',
  places: ['folder'],
  options: {
    ...choosingBase,
    folds: { kind: 'number', placeholder: 'n', text: 'folds of the cross-validation; default 5' },
    'max-examples': { kind: 'number', placeholder: 'n', text: 'pictures to use at most; default 1000' },
    'skip-unreadable': { kind: 'flag', text: 'leave out pictures that cannot be read' },
    ...computing,
  },
  examples: ['transferkit suggest photos', 'transferkit suggest photos --base resnet50 --max-examples 300'],
  async run({ values, places: [folder], terminal }) {
    const { train } = await trainingSets(folder, values['skip-unreadable'], terminal);
    await openBackend(values);
    const base = await openBase(values, terminal);
    const { folds, seed, 'max-examples': maxExamples } = values;
    const report = await suggestCut(base, train, {
      ...given({ folds, seed, maxExamples }),
      onProgress: terminal.progress,
    });
    base.dispose();
    const rows = report.cuts.map(({ cut, accuracy, standardError, width, cost, parameters }) => ({
      cut,
      accuracy,
      '±': standardError,
      features: width,
      cost,
      parameters,
    }));
    terminal.result(report, [...textTable(rows), '', `suggested: --cut ${report.suggested}`]);
  },
});
