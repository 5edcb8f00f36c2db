// `transferkit info`: what a model file holds.
import { load, type LoadedModel } from '../../index.ts';
import { defineCommand } from '../shell/command.ts';
import { openBackend } from '../shell/openBase.ts';
import { computing } from '../shell/sharedOptions.ts';

/** The command. */
export const command = defineCommand({
  name: 'info',
  text: 'Shows task, labels, base, preprocessing and training of a model.',
  places: ['model'],
  options: {
    layers: { kind: 'flag', text: 'list the layers of the base too' },
    ...computing,
  },
  examples: ['transferkit info model', 'transferkit info model.zip --json', 'transferkit info mobilenet_v2 --layers'],
  async run({ values, places: [source], terminal }) {
    await openBackend(values);
    const model = await load(source, { onProgress: terminal.download });
    const facts = factsOf(model);
    const layers = values.layers ? model.base.summary() : undefined;
    model.dispose();
    const lines = Object.entries(facts).map(
      ([name, value]) => `${name.padEnd(14)}${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    terminal.result({ ...facts, ...(layers === undefined ? {} : { layers }) }, [
      ...lines,
      ...(layers === undefined ? [] : ['', layers]),
    ]);
  },
});

function factsOf({ task, labels, base, head, history }: LoadedModel) {
  const weights = [...base.trunk.weights, ...head.trunk.weights];
  return {
    task,
    labels,
    base: base.name,
    cut: base.cut,
    preprocessing: base.preprocessor.spec,
    parameters: weights.reduce((sum, { variable }) => sum + variable.size, 0),
    trained: history.map(({ phase, examples, epochs }) => ({ phase, examples, epochs: epochs.length })),
  };
}
