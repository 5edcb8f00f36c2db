// Options that several commands have.
import type { OptionSpecs } from './command.ts';

/** Of every command. */
export const everywhere = {
  help: { kind: 'flag', text: 'show this help' },
  quiet: { kind: 'flag', text: 'write results and errors only' },
  json: { kind: 'flag', text: 'write the result as JSON' },
} as const satisfies OptionSpecs;

/** Of every command that runs a network. */
export const computing = {
  backend: { kind: 'text', placeholder: 'name', text: 'wasm, cpu or webgpu; default: the fastest one that starts' },
  threads: { kind: 'number', placeholder: 'n', text: 'threads of wasm; default: one for each core' },
} as const satisfies OptionSpecs;

/** How a network is read, and its weights fetched. */
export const reading = {
  'input-size': { kind: 'number', placeholder: 'pixels', text: 'height and width of the pictures' },
  alpha: { kind: 'number', placeholder: 'x', text: 'width of the network, of MobileNets' },
  weights: {
    kind: 'text',
    placeholder: 'file|none',
    text: "weights of a preset: a Keras file, or none to draw them by --seed; default: ImageNet's",
  },
  mirror: { kind: 'text', placeholder: 'address', text: 'server to download from instead (also TRANSFERKIT_MIRROR)' },
  seed: { kind: 'number', placeholder: 'n', text: 'seed of everything that is drawn; default 0' },
} as const satisfies OptionSpecs;

/** Which base to build on. */
export const choosingBase = {
  base: {
    kind: 'text',
    placeholder: 'preset|path|address',
    text: 'network to build on; default mobilenet_v2, downloaded once',
  },
  cut: { kind: 'text', placeholder: 'layer', text: 'layer to take features from; transferkit suggest ranks them' },
  preprocess: {
    kind: 'choice',
    choices: ['tf', 'caffe', 'torch', 'unit', 'raw'],
    text: 'how the base expects pixels, where its file does not say',
  },
  ...reading,
} as const satisfies OptionSpecs;

/** Whether an output may be replaced. */
export const replacing = {
  force: { kind: 'flag', text: 'replace the output if it exists' },
} as const satisfies OptionSpecs;
