// `transferkit fetch`: writes a preset with its weights as a base, for machines without a connection and for pages.
import { loadBase, writeBase } from '../../index.ts';
import { defineCommand } from '../shell/command.ts';
import { given } from '../shell/given.ts';
import { openBackend, readingOptions } from '../shell/openBase.ts';
import { assertNew } from '../shell/outputs.ts';
import { computing, reading, replacing } from '../shell/sharedOptions.ts';

/** The command. */
export const command = defineCommand({
  name: 'fetch',
  text: 'Downloads the weights of a preset once, and writes them as a base for `train --base <folder>` or a page.',
  places: ['preset', 'folder'],
  options: {
    ...reading,
    cut: { kind: 'text', placeholder: 'layer', text: 'last layer to write; default: before the classifier' },
    quantize: { kind: 'choice', choices: ['float16', 'uint8'], text: 'smaller weights' },
    ...replacing,
    ...computing,
  },
  examples: [
    'transferkit fetch mobilenet_v2 base',
    'transferkit fetch efficientnet_b0 public/base --quantize float16',
    'transferkit fetch mobilenet_v2 small --alpha 0.35 --input-size 96',
  ],
  async run({ values, places: [preset, folder = ''], terminal }) {
    assertNew(folder, values.force);
    await openBackend(values);
    const { cut, quantize } = values;
    const base = await loadBase(preset, { ...readingOptions(values, terminal), ...given({ cut }) });
    const written = await writeBase(base, folder, given({ quantize }));
    terminal.result({ base: folder, name: base.name, cut: base.cut, ...written }, [
      `${folder}: ${base.name} up to ${base.cut}, ${(written.weightBytes / 1e6).toFixed(1)} MB`,
    ]);
    base.dispose();
  },
});
