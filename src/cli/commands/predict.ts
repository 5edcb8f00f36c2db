// `transferkit predict`: labels of pictures, as a table, JSON or CSV.
import { isTransferKitError, load, predict, type LoadedModel, type PredictOptions } from '../../index.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import { reasonOf } from '../../core/errors.ts';
import { defineCommand } from '../shell/command.ts';
import { given } from '../shell/given.ts';
import { openBackend } from '../shell/openBase.ts';
import { computing, everywhere } from '../shell/sharedOptions.ts';
import { csvTable, textTable, type Row } from '../shell/textTable.ts';

/** Pictures that are read and predicted together. */
const batch = 32;

type Answer = { readonly file: string } & (
  { readonly predictions: Awaited<ReturnType<typeof predictOne>> } | { readonly error: string }
);

/** The command. */
export const command = defineCommand({
  name: 'predict',
  text: 'Predicts the labels of pictures. A file that cannot be read is reported in its row, and the exit code is 1.',
  places: ['model', 'files…'],
  options: {
    top: { kind: 'number', placeholder: 'n', text: 'labels for each picture; default 1' },
    views: { kind: 'number', placeholder: 'n', text: 'average over n views of each picture' },
    csv: { kind: 'flag', text: 'write the table as CSV' },
    json: everywhere.json,
    ...computing,
  },
  examples: [
    'transferkit predict model cat.jpg dog.jpg',
    'transferkit predict model photos/*.jpg --top 3 --csv > labels.csv',
    'transferkit predict mobilenet_v2 cat.jpg --json',
  ],
  async run({ values, places: [source, ...files], terminal }) {
    if (values.csv && values.json) throw invalidOption('--csv or --json', undefined, 'both');
    const { top = 1, views } = values;
    await openBackend(values);
    const model = await load(source, { onProgress: terminal.download });
    const count = terminal.counter('predicting');
    const answers: Answer[] = [];
    for (let from = 0; from < files.length; from += batch) {
      const slice = files.slice(from, from + batch);
      answers.push(...(await predictAll(model, slice, { topK: top, ...given({ views }) })));
      count(answers.length, files.length);
    }
    model.dispose();
    if (answers.some((answer) => 'error' in answer)) process.exitCode = 1;
    const rows = answers.flatMap(rowsOf);
    terminal.result(answers, values.csv ? csvTable(rows) : textTable(rows));
  },
});

/** Predicts pictures together. If one cannot be read, each is tried alone, so that only that one has no labels. */
async function predictAll(model: LoadedModel, files: readonly string[], options: PredictOptions): Promise<Answer[]> {
  try {
    const predictions = await predict(model, files, options);
    return files.map((file, i) => ({ file, predictions: predictions[i] ?? [] }));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const answers: Answer[] = [];
    for (const file of files) answers.push(await predictAlone(model, file, options));
    return answers;
  }
}

async function predictAlone(model: LoadedModel, file: string, options: PredictOptions): Promise<Answer> {
  try {
    return { file, predictions: await predictOne(model, file, options) };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { file, error: reasonOf(error) };
  }
}

function predictOne(model: LoadedModel, file: string, options: PredictOptions) {
  return predict(model, file, options);
}

function isUnreadable(error: unknown): boolean {
  return isTransferKitError(error, 'UNREADABLE') || isTransferKitError(error, 'NOT_FOUND');
}

/** One row for each label, or for each label of each head. */
function rowsOf(answer: Answer): Row[] {
  const { file } = answer;
  if ('error' in answer) return [{ file, error: answer.error }];
  const { predictions } = answer;
  if (Array.isArray(predictions)) return predictions.map((prediction) => ({ file, ...prediction }));
  return Object.entries(predictions).flatMap(([head, list]) =>
    list.map((prediction) => ({ file, head, ...prediction })),
  );
}
