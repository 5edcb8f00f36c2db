// `transferkit evaluate`: figures of a model on a folder of pictures.
import { evaluate, load } from '../../index.ts';
import { defineCommand } from '../shell/command.ts';
import { figureLines } from '../shell/figureLines.ts';
import { given } from '../shell/given.ts';
import { openBackend } from '../shell/openBase.ts';
import { measuringSet } from '../shell/pictureSets.ts';
import { computing } from '../shell/sharedOptions.ts';
import { counted } from '../shell/textTable.ts';

/** The command. */
export const command = defineCommand({
  name: 'evaluate',
  text: 'Measures a model on pictures: accuracy, figures of each label, confusion matrix, worst mistakes.',
  places: ['model', 'folder'],
  options: {
    part: {
      kind: 'choice',
      choices: ['train', 'validation', 'test'],
      text: 'part of the folder; default: test, else validation, else the whole folder',
    },
    views: { kind: 'number', placeholder: 'n', text: 'average over n views of each picture' },
    worst: { kind: 'number', placeholder: 'n', text: 'mistakes to list; default 10' },
    'skip-unreadable': { kind: 'flag', text: 'leave out pictures that cannot be read' },
    ...computing,
  },
  examples: ['transferkit evaluate model photos', 'transferkit evaluate model photos --part test --json'],
  async run({ values, places: [source, folder = ''], terminal }) {
    const { name, samples } = await measuringSet(folder, values.part, values['skip-unreadable']);
    await openBackend(values);
    const model = await load(source, { onProgress: terminal.download });
    const { views, worst } = values;
    const evaluation = await evaluate(model, samples, { ...given({ views, worst }), onProgress: terminal.progress });
    model.dispose();
    for (const warning of evaluation.warnings ?? []) terminal.note(`warning: ${warning}`);
    const heading = `${counted(evaluation.examples, 'picture')} of ${name}`;
    terminal.result(evaluation, [heading, ...figureLines(evaluation)]);
  },
});
