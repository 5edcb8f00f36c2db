// `transferkit train`: a model from a folder of pictures. A run that was stopped or killed goes on with the same command.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import {
  evaluate,
  fineTune,
  replaceHead,
  save,
  trainHead,
  type EpochReport,
  type TrainingLog,
  type TransferModel,
} from '../../index.ts';
import { defineCommand, type ValuesOf } from '../shell/command.ts';
import { figureLines } from '../shell/figureLines.ts';
import { given } from '../shell/given.ts';
import { stopGently } from '../shell/interruption.ts';
import { openBackend, openBase } from '../shell/openBase.ts';
import { assertNew } from '../shell/outputs.ts';
import { trainingSets, type TrainingSets } from '../shell/pictureSets.ts';
import { choosingBase, computing, replacing } from '../shell/sharedOptions.ts';
import type { Terminal } from '../shell/terminal.ts';
import { counted, percent } from '../shell/textTable.ts';
import { assertCombination, checkpointing, layersOf, sharedTraining, training } from '../shell/trainingOptions.ts';

const options = {
  output: { kind: 'text', placeholder: 'path', text: 'folder or .zip of the model; default model' },
  ...choosingBase,
  ...training,
  'skip-unreadable': { kind: 'flag', text: 'leave out pictures that cannot be read' },
  ...replacing,
  ...computing,
} as const;

type Values = ValuesOf<typeof options>;

/** The command. */
export const command = defineCommand({
  name: 'train',
  text:
    'Trains a model on a folder with one subfolder of pictures for each label.\n' +
    'Checkpoints are kept beside the output until the model is saved: after Ctrl-C, or any other end,\n' +
    'the same command goes on, to the same weights.',
  places: ['folder'],
  options,
  examples: [
    'transferkit train photos',
    'transferkit train photos --output flowers --effort thorough --base efficientnet_b0',
    'transferkit train photos --base ./base --cut block_12_add --unfreeze none',
  ],
  async run({ values, places: [folder], terminal }) {
    const { output = 'model', seed } = values;
    assertNew(output, values.force);
    assertCombination(values);
    const sets = await trainingSets(folder, values['skip-unreadable'], terminal);
    await openBackend(values);
    const model = replaceHead(await openBase(values, terminal), { labels: sets.labels, ...given({ seed }) });
    const checkpoints = `${output}.checkpoint`;
    const stop = stopGently(() => {
      terminal.note('Stopping after this batch. Ctrl-C again ends at once.');
    });
    const log = await train({ model, sets, values, checkpoints, signal: stop.signal, terminal });
    for (const warning of log.warnings ?? []) terminal.note(`warning: ${warning}`);
    if (log.stoppedBy === 'signal') {
      const next = existsSync(checkpoints) ? 'goes on' : 'begins again: there was nothing to keep yet';
      terminal.note(`Stopped. The same command ${next}.`);
      process.exitCode = stop.exitCode();
      return;
    }
    await save(model, output);
    await rm(checkpoints, { recursive: true, force: true });
    await report({ model, sets, output, log, terminal });
    model.dispose();
  },
});

interface Run {
  readonly model: TransferModel<'classes'>;
  readonly sets: TrainingSets;
  readonly values: Values;
  readonly checkpoints: string;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

async function train({ model, sets, values, checkpoints, signal, terminal }: Run): Promise<TrainingLog> {
  const { seed, unfreeze, effort, epochs, augment } = values;
  const shared = {
    ...sharedTraining(values, sets.validation),
    ...given({ seed }),
    signal,
    onProgress: terminal.progress,
    onEpoch: (epoch: EpochReport) => {
      terminal.note(describeEpoch(epoch));
    },
  };
  if (unfreeze !== 'none') {
    const checkpointed = { ...shared, ...checkpointing(values, checkpoints) };
    return fineTune(model, sets.train, { ...checkpointed, ...given({ effort, unfreeze: layersOf(unfreeze) }) });
  }
  // A head that is solved for has no state to keep.
  const isSolved = epochs === undefined && augment === undefined;
  return trainHead(model, sets.train, { ...shared, ...(isSolved ? {} : checkpointing(values, checkpoints)) });
}

interface Finished extends Pick<Run, 'model' | 'sets' | 'terminal'> {
  readonly output: string;
  readonly log: TrainingLog;
}

async function report({ model, sets, output, log, terminal }: Finished): Promise<void> {
  const test = sets.test && (await evaluate(model, sets.test, { onProgress: terminal.progress }));
  const accuracy = validationAccuracy(log);
  const unknown = log.blend === undefined ? 'not validated' : 'not validated after its blend with the trained head';
  const validated = accuracy === undefined ? unknown : `validation accuracy ${percent(accuracy)}`;
  const lines = [`${output}: ${counted(model.labels.length, 'label')}, ${validated}`];
  if (test !== undefined)
    lines.push('', `${counted(test.examples, 'picture')} of the part test:`, ...figureLines(test));
  terminal.result({ output, labels: model.labels, ...given({ validationAccuracy: accuracy, test }), log }, lines);
}

/** The accuracy of the weights that the model ended with. */
function validationAccuracy({ epochs, best, before, blend }: TrainingLog): number | undefined {
  if (blend !== undefined) return blend.tried.find(({ alpha }) => alpha === blend.alpha)?.accuracy;
  const isBefore = best !== undefined && epochs.every(({ epoch }) => epoch > best.epoch);
  if (isBefore) return before?.validationAccuracy;
  return (epochs.find(({ epoch }) => epoch === best?.epoch) ?? epochs.at(-1))?.validationAccuracy;
}

function describeEpoch({ phase, epoch, loss, validationAccuracy }: EpochReport): string {
  const validated = validationAccuracy === undefined ? '' : `, validation accuracy ${percent(validationAccuracy)}`;
  return `${phase === 'head' ? 'head' : 'fine-tuning'}, epoch ${String(epoch + 1)}: loss ${loss.toFixed(4)}${validated}`;
}
