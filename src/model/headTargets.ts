// Encodes the targets of examples for all heads of a model, concatenated in the order of the logits.
import { nameHead } from '../core/edge.ts';
import { TransferKitError } from '../core/errors.ts';
import type { HeadPart } from './model.ts';
import { nearestNames } from '../core/names.ts';
import type { Samples, Target } from '../core/types.ts';
import { shown } from '../core/shown.ts';
import { encodeTarget } from './tasks/encodeTarget.ts';

/** A value with heads. Every model is one. */
export interface WithHeads {
  readonly head: { readonly parts: readonly HeadPart[] };
}

/** One head with the targets that samples have for it. */
export interface HeadSamples {
  readonly part: HeadPart;
  readonly samples: Pick<Samples, 'size' | 'labels' | 'classCounts' | 'target'>;
}

/** Number of target values of one example. */
export function targetSize({ head }: WithHeads): number {
  return head.parts.at(-1)?.to ?? 0;
}

/**
 * Encodes one example's targets as values for the losses, see `encodeTarget`.
 *
 * @throws TransferKitError the errors of `encodeTarget`; `INVALID_OPTION` for a record that lacks the target of a head,
 * or has a target for an unknown head.
 */
export function encodeTargets(model: WithHeads, target: Target, id: string): Float32Array {
  const { parts } = model.head;
  const [first] = parts;
  if (first?.name === '') return encodeTarget(first, target, id);
  const own = recordOf(parts, target, id);
  const row = new Float32Array(targetSize(model));
  for (const part of parts) {
    row.set(
      nameHead(part.name, () => encodeTarget(part, own[part.name] ?? [], id)),
      part.from,
    );
  }
  return row;
}

/**
 * The targets of samples, head by head.
 *
 * @throws TransferKitError `INVALID_OPTION` if samples do not have the targets of the model's heads.
 */
export function byHeads({ head }: WithHeads, samples: Samples): HeadSamples[] {
  const [first] = head.parts;
  if (first?.name === '') return [{ part: first, samples }];
  const target = (index: number) => recordOf(head.parts, samples.target(index), `example ${String(index)}`);
  target(0);
  return head.parts.map((part) => {
    const own = samples.heads?.[part.name];
    if (own === undefined) throw undescribed(part);
    const targets = { size: samples.size, target: (index: number) => target(index)[part.name] ?? [] };
    return { part, samples: { ...own, ...targets } };
  });
}

/** Runs a check on the targets of each head. Errors name the head. */
export function checkEach(model: WithHeads, samples: Samples, check: (head: HeadSamples) => void): void {
  for (const head of byHeads(model, samples)) {
    nameHead(head.part.name, () => {
      check(head);
    });
  }
}

/** Raises unless a target is a record with exactly one target for each of the heads. */
function recordOf(parts: readonly HeadPart[], target: Target, id: string) {
  const names = parts.map(({ name }) => name);
  if (typeof target !== 'object' || isList(target)) {
    throw wrong(`a record of targets for the heads ${names.join(', ')}`, shown(target), id);
  }
  const given = Object.keys(target);
  const other = given.find((name) => !names.includes(name));
  if (other !== undefined) {
    const nearest = nearestNames(other, names).map((name) => `'${name}'`);
    throw wrong(`targets of the model's heads (${names.join(', ')})`, `one of '${other}'`, id, nearest);
  }
  const missing = names.find((name) => !given.includes(name));
  if (missing !== undefined) throw wrong(`a target of head '${missing}'`, shown(target), id);
  return target;
}

/** The error about samples that were written by hand and do not list the labels of a head. */
function undescribed({ name }: HeadPart): TransferKitError {
  const text =
    `expected samples that list the labels of head '${name}' under heads.${name}, got none. Make them by ` +
    'defineSamples, which finds the labels of each head.';
  return new TransferKitError('INVALID_OPTION', text, { head: name });
}

function isList(target: Target): target is readonly string[] | readonly number[] {
  return Array.isArray(target);
}

function wrong(expected: string, received: string, id: string, nearest: string[] = []): TransferKitError {
  const advice =
    nearest.length === 0 ? 'Give every example a target of every head.' : `Nearest: ${nearest.join(', ')}.`;
  const text = `expected ${expected} for ${id}, got ${received}. ${advice}`;
  return new TransferKitError('INVALID_OPTION', text, { id, received });
}
