// What the browser test of bases does inside the page: a Keras file from bytes, a preset, a GraphModel that is trained.
import { memory, tensor, type io } from '@tensorflow/tfjs-core';
import { fineTune, fromArrays, loadBase, replaceHead, useBackend } from '../../src/index.ts';

/** Bytes as text that a page can be handed. */
function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** What runs in the page. */
export interface Bases {
  /** First outputs of a Keras file's network on `ones`, up to a cut. */
  kerasFile(
    backend: string,
    file: string,
    cut: string,
  ): Promise<{ readonly values: number[]; readonly shape: number[] }>;
  /** Shape that a preset with drawn weights gives. */
  preset(backend: string): Promise<readonly (number | null)[]>;
  /** Losses of training a whole GraphModel, and the tensors that it left. */
  graph(
    backend: string,
    artifacts: io.ModelArtifacts,
    data: string,
  ): Promise<{ losses: number[]; tensorsLeft: number }>;
}

declare global {
  interface Window {
    bases?: Bases;
  }
}

window.bases = {
  async kerasFile(backend, file, cut) {
    await useBackend(backend);
    const { trunk } = await loadBase(decode(file), { cut });
    const [, ...shape] = trunk.input.shape.map((axis) => axis ?? 1);
    const size = shape.reduce((product, axis) => product * axis, 1);
    const input = tensor(new Float32Array(size).fill(1), [1, ...shape]);
    const output = trunk.run(input);
    return { values: Array.from(await output.data()), shape: output.shape };
  },
  async preset(backend) {
    await useBackend(backend);
    const base = await loadBase('mobilenet_v3_small', { weights: null, inputSize: 32, alpha: 0.75 });
    const { shape } = base.trunk.output;
    base.dispose();
    return shape;
  },
  async graph(backend, artifacts, data) {
    await useBackend(backend);
    const before = memory().numTensors;
    const weightData = Uint8Array.from(decode(data)).buffer;
    const base = await loadBase({ load: () => Promise.resolve({ ...artifacts, weightData }) });
    const model = replaceHead(base, { labels: ['bright', 'dark'], dropout: 0 });
    const inputs = Array.from({ length: 8 }, (_, i) => new Float32Array(192).fill(i % 2 === 0 ? 0.9 : 0.2));
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'bright' : 'dark')) });
    const { epochs } = await fineTune(model, samples, { epochs: 3, headEpochs: 0, learningRate: 0.02 });
    model.dispose();
    return { losses: epochs.map(({ loss }) => loss), tensorsLeft: memory().numTensors - before };
  },
};
