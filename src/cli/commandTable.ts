// The commands by name. A command is one file and one row; it is loaded when it is used.
import type { AnyCommand } from './shell/command.ts';

interface Row {
  /** What the list of commands says of it. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: AnyCommand }>;
}

/** In the order of the help. */
export const commands: Readonly<Record<string, Row>> = {
  train: { summary: 'a model from a folder of pictures', load: () => import('./commands/train.ts') },
  evaluate: { summary: 'accuracy and mistakes of a model', load: () => import('./commands/evaluate.ts') },
  predict: { summary: 'labels of pictures', load: () => import('./commands/predict.ts') },
  inspect: { summary: 'counts and faults of a folder of pictures', load: () => import('./commands/inspect.ts') },
  suggest: { summary: 'where to cut a base for a folder of pictures', load: () => import('./commands/suggest.ts') },
  fetch: { summary: 'a pretrained base as files', load: () => import('./commands/fetch.ts') },
  export: { summary: 'a model for ONNX, TensorFlow.js or Keras', load: () => import('./commands/export.ts') },
  serve: { summary: 'a model as a small HTTP service', load: () => import('./commands/serve.ts') },
  info: { summary: 'what a model file holds', load: () => import('./commands/info.ts') },
};
