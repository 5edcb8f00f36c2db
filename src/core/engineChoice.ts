// Which engine runs the frozen parts of networks in this process.

/** Engines for inference: this package's kernels on the tfjs backend, or ONNX Runtime. */
export const engineNames = ['own', 'onnxruntime'] as const;

/** Name of an engine. */
export type EngineName = (typeof engineNames)[number];

/** The engine, and the number of threads of one that is not on the tfjs backend. Undefined: all cores. */
export interface EngineChoice {
  readonly name: EngineName;
  readonly threads: number | undefined;
}

let choice: EngineChoice = { name: 'own', threads: undefined };

/** The engine for parts that are folded from now on. */
export function engineChoice(): EngineChoice {
  return choice;
}

/** Chooses the engine for parts that are folded from now on. The same choice keeps what is prepared. */
export function chooseEngine(wanted: EngineChoice): void {
  if (wanted.name !== choice.name || wanted.threads !== choice.threads) choice = wanted;
}

/** The engine as a field of a report or a file; {} for the own one, which files of earlier versions do not name. */
export function namedEngine(): { readonly engine?: EngineName } {
  return choice.name === 'own' ? {} : { engine: choice.name };
}
