// The shape of a network's input: whole, of a size that can be, its batch axis free.
import { isJsonList, type Json } from '../../core/json.ts';
import { assertSize, isAxis } from './limits.ts';
import { notAModel } from './notAModel.ts';

/**
 * The shape that an InputLayer declares, with a free batch axis in place of a fixed one.
 *
 * @param notes - Gets a line when the batch axis was fixed.
 * @throws TransferKitError `NOT_A_MODEL`, `OUT_OF_RANGE`.
 */
export function freeInputShape(shape: Json | undefined, layer: string, notes: string[]): (number | null)[] {
  if (!isJsonList(shape)) throw notAModel(`an input '${layer}' without a shape`);
  const [batch = null, ...axes] = shape;
  if (!isAxis(batch) || !axes.every(isAxis)) {
    throw notAModel(`an input '${layer}' of shape ${JSON.stringify(shape).slice(0, 100)}`);
  }
  assertSize(`the input '${layer}'`, axes);
  if (batch !== null) notes.push(freedBatchNote(layer, batch));
  return [null, ...axes];
}

/** What to tell of a batch axis that was fixed. */
export function freedBatchNote(input: string, batch: number): string {
  const examples = batch === 1 ? 'one example' : `${String(batch)} examples`;
  return `The input '${input}' was fixed at ${examples} at a time: it takes any number now.`;
}
