// Checks that metadata of transferkit fits the model that it is saved with. A file may have been edited by hand, or
// combined from two models.
import type { LayerGraph, LayerSpec } from '../core/graphs.ts';
import { TransferKitError } from '../core/errors.ts';
import { ofHead, unitsOf } from '../model/headParts.ts';
import type { HeadPart } from '../model/model.ts';
import { tasks } from '../model/tasks/tasks.ts';
import { lastCallOf, layerOf } from '../networks/graphs/layerGraph.ts';
import { savedHeads, type SavedModel } from '../formats/tfjs/savedModel.ts';

/**
 * Raises if a saved model's metadata names layers that the graph does not have, or names them in the wrong order, or if
 * its number of labels does not fit the number of logits.
 *
 * @param source - Source of the model, for error texts.
 * @throws TransferKitError `NOT_A_MODEL`.
 */
export function assertSavedFits(saved: SavedModel, graph: LayerGraph, source: string): void {
  const cut = callOf(graph, saved.base.cut, 'base.cut', source);
  for (const head of savedHeads(saved)) {
    const logits = callOf(graph, head.logits, 'head.logits', source);
    if (cut >= logits) {
      const got = `'${head.logits}' before '${saved.base.cut}'`;
      throw unfit(source, 'its head.logits to name a layer after its base.cut', got);
    }
    assertUnitsFit(head.part, layerOf(graph, logits), source);
  }
}

/**
 * Raises if the head that was saved with a GraphModel does not have the logits or labels that the metadata names.
 *
 * @throws TransferKitError `NOT_A_MODEL`.
 */
export function assertSavedHeadFits(saved: SavedModel, head: LayerGraph, source: string): void {
  for (const { part, logits } of savedHeads(saved)) {
    assertUnitsFit(part, layerOf(head, callOf(head, logits, 'head.logits', source)), source);
  }
}

/** Raises if a layer declares a number of logits that does not fit the labels. */
function assertUnitsFit({ name, task, labels }: HeadPart, { className, config }: LayerSpec, source: string): void {
  if (className !== 'Dense' || typeof config.units !== 'number') return;
  const { units } = config;
  const { unitsText, labelled } = tasks[task];
  if (units === unitsOf({ task, labels }) && labelled?.count.isRight(labels.length) !== false) return;
  const got = `${String(labels.length)} labels for ${String(units)} logits of task '${task}'${ofHead(name)}`;
  throw unfit(source, unitsText, got);
}

function callOf(graph: LayerGraph, layer: string, field: string, source: string): number {
  const call = lastCallOf(graph, layer);
  if (call >= 0) return call;
  throw unfit(source, `its ${field} to name a layer of '${graph.name}'`, `'${layer}'`);
}

function unfit(source: string, expected: string, got: string): TransferKitError {
  const text = `expected metadata of transferkit that fits the model in ${source}, ${expected}, got ${got}. Save the model again.`;
  return new TransferKitError('NOT_A_MODEL', text, { source, got });
}
