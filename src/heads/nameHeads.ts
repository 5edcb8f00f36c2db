// Validates the names of the heads in a record, and what each head predicts.
import { TransferKitError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';
import { nameOutputs, type Answer, type Question } from './nameOutputs.ts';

/** A head's name becomes the name of a layer and of an output. */
const nameable = /^[A-Za-z0-9][\w.-]*$/;

/** The outputs of each head, in the order of the record. */
export function nameHeads(heads: Readonly<Record<string, Question>>, taken: ReadonlySet<string>): Answer[] {
  const given: unknown = heads;
  if (typeof given !== 'object' || given === null || Array.isArray(given) || Object.keys(given).length === 0) {
    throw invalid("heads to be a record of one or more, such as { kind: { labels: ['cat', 'dog'] } }", given);
  }
  return Object.entries(heads).map(([name, question]) => {
    if (!nameable.test(name)) throw invalid('heads with names of letters, digits, _, - and .', name);
    // These names exist already as members of the plain objects in which tf.loadLayersModel keeps layers.
    if (name in Object.prototype) throw invalid('heads named otherwise than members of every object', name);
    if (taken.has(name)) throw invalid('heads named as no layer of the base, as their outputs get these names', name);
    const described: unknown = question;
    if (typeof described !== 'object' || described === null) throw invalid(`an object for head '${name}'`, described);
    return nameOutputs(name, question);
  });
}

function invalid(expected: string, received: unknown): TransferKitError {
  const text = `expected ${expected}, got ${received === undefined ? 'nothing' : shown(received)}.`;
  return new TransferKitError('INVALID_OPTION', text, { received });
}
