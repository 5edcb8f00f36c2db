// The edge of public functions: an error gets the name of the innermost function once, in its field, text and stack.
import { expect, test } from 'vitest';
import { nameErrors, nameHead } from '../src/core/edge.ts';
import { fineTune, fromArrays, isTransferKitError, TransferKitError } from '../src/index.ts';

const wrong = () => new TransferKitError('NOT_FOUND', "expected a file, got '$&'.", { path: '$&' });
const begin = "[transferkit] load: expected a file, got '$&'.";

function raise(error: unknown): never {
  throw error;
}

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('an error gets the name in its field, its text and its stack, and stays the same object', () => {
  const error = wrong();
  const frames = error.stack?.split('\n').slice(1);
  expect(caught(() => nameErrors('load', () => raise(error)))).toBe(error);
  expect(error).toMatchObject({ raisedBy: 'load', message: begin, code: 'NOT_FOUND', details: { path: '$&' } });
  expect(error.stack?.split('\n')).toEqual([`TransferKitError: ${begin}`, ...(frames ?? [])]);
});

test('the innermost function gives the name, whether it works at once or later', async () => {
  const inner = (): never => nameErrors('load', () => raise(wrong()));
  const later = () => nameErrors('load', () => Promise.reject(wrong()));
  for (const work of [inner, later, () => nameErrors('load', async () => later())]) {
    const error: unknown = await nameErrors('compare', async () => work()).catch((each: unknown) => each);
    expect(error).toMatchObject({ raisedBy: 'load', message: begin });
  }
});

test('results and errors of others pass', async () => {
  const other = new RangeError('other');
  expect(caught(() => nameErrors('load', () => raise(other)))).toBe(other);
  await expect(nameErrors('load', () => Promise.reject(other))).rejects.toBe(other);
  expect(other.message).toBe('other');
  expect(nameErrors('load', () => 7)).toBe(7);
  await expect(nameErrors('load', () => Promise.resolve(7))).resolves.toBe(7);
});

test('the name of one of several heads stands after the name of the function', () => {
  const ofHead = (head: string) => caught(() => nameErrors('load', () => nameHead(head, () => raise(wrong()))));
  expect(ofHead('kind')).toMatchObject({ message: "[transferkit] load: head 'kind': expected a file, got '$&'." });
  expect(ofHead('')).toMatchObject({ message: begin });
});

test('a function that a callback of another one calls names its own errors', async () => {
  const error = await fineTune(undefined as never, undefined as never).catch((each: unknown) => each);
  expect(isTransferKitError(error) && error.raisedBy).toBe('fineTune');
  const read = () => fromArrays({ inputs: [], targets: [] });
  expect(caught(() => nameErrors('fineTune', read))).toMatchObject({ raisedBy: 'fromArrays' });
});
