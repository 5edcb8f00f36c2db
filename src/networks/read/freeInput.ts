// Validates the shape of a network's input: known, of a possible size, with a free batch axis.
import { isJsonList, type Json } from '../../core/json.ts';
import { assertSize, isAxis } from '../graphs/limits.ts';
import { notAModel } from './notAModel.ts';

/**
 * The shape that an InputLayer declares. A fixed batch axis is replaced by a free one.
 *
 * @param notes - A line is added if the batch axis was fixed.
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

/** The note about a fixed batch axis. */
export function freedBatchNote(input: string, batch: number): string {
  const examples = batch === 1 ? 'one example' : `${String(batch)} examples`;
  return `The input '${input}' was fixed at ${examples} at a time: it takes any number now.`;
}
