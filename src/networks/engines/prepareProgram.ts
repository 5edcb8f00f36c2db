// Prepares folded parts on the engine that is chosen. A further engine is a file beside these and a row of the table.
import { engineChoice, type EngineName } from '../../core/engineChoice.ts';
import type { Engine, FoldedGraph, Program } from './engine.ts';
import { ownEngine } from './ownEngine.ts';

const engines: Readonly<Record<EngineName, () => Promise<Engine>>> = {
  own: () => Promise.resolve(ownEngine),
  onnxruntime: async () => (await import('./onnxEngine.ts')).onnxEngine,
};

/** Prepares a part. Its constants belong to the program from now on. */
export async function prepareProgram(part: FoldedGraph): Promise<Program> {
  const engine = await engines[engineChoice().name]();
  return engine.prepare(part);
}
