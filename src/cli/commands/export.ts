// `transferkit export`: a model as a file of another program.
import { exportModel, load, type ExportFormat, type ExportedModel } from '../../index.ts';
import { defineCommand } from '../shell/command.ts';
import { given } from '../shell/given.ts';
import { openBackend } from '../shell/openBase.ts';
import { assertNew } from '../shell/outputs.ts';
import { measuringSet } from '../shell/pictureSets.ts';
import { computing, replacing } from '../shell/sharedOptions.ts';

/** What follows the name of the model in the name of the output. */
const endings: Readonly<Record<ExportFormat, string>> = {
  onnx: '.onnx',
  keras: '.keras',
  graphModel: '-graph-model',
};

/** The command. */
export const command = defineCommand({
  name: 'export',
  text: 'Writes a model for ONNX Runtime, for plain TensorFlow.js or for Keras.',
  places: ['model'],
  options: {
    format: { kind: 'choice', choices: ['onnx', 'graphModel', 'keras'], text: 'default onnx' },
    output: { kind: 'text', placeholder: 'path', text: 'default: the name of the model with the ending of the format' },
    quantize: { kind: 'choice', choices: ['float16', 'uint8'], text: 'smaller weights, not for keras' },
    'include-preprocessing': { kind: 'flag', text: 'onnx: the file takes pictures of any size as bytes' },
    measure: { kind: 'text', placeholder: 'folder', text: 'pictures to measure before and after, not for keras' },
    ...replacing,
    ...computing,
  },
  examples: [
    'transferkit export model --format onnx --include-preprocessing',
    'transferkit export model --format graphModel --quantize uint8 --measure photos',
    'transferkit export model --format keras --output model.keras',
  ],
  async run({ values, places: [source], terminal }) {
    const { format = 'onnx', quantize, measure } = values;
    const { output = `${source.replace(/[/\\]+$|\.zip$/g, '')}${endings[format]}` } = values;
    assertNew(output, values.force);
    const samples = measure === undefined ? undefined : (await measuringSet(measure, undefined, false)).samples;
    await openBackend(values);
    const model = await load(source);
    const exported = await exportModel(model, output, {
      format,
      includePreprocessing: values['include-preprocessing'],
      ...given({ quantize, samples }),
    });
    model.dispose();
    terminal.result({ output, ...exported }, [
      `${output}: ${format}, ${(exported.weightBytes / 1e6).toFixed(1)} MB`,
      ...measured(exported),
    ]);
  },
});

function measured({ figures }: ExportedModel): string[] {
  if (figures === undefined) return [];
  return (['before', 'after'] as const).map((when) => `${when}: ${JSON.stringify(figures[when])}`);
}
