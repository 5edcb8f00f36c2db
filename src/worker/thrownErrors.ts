// Errors that cross between threads and may come back: a callback's error, passed on by the verb that called it, is raised
// in the page as the object that it was.
import { describeError, remakeError, type SentError } from './sentErrors.ts';

/** Errors of one side. */
export interface ThrownErrors {
  /** An error as it is sent. */
  send(error: unknown): SentError;
  /** The error of a message: the one of this side, if it comes from here. */
  receive(sent: SentError): unknown;
  /** Forgets those of this side: none can come back any more. */
  clear(): void;
}

/** Opens the table of one side. */
export function openThrownErrors(): ThrownErrors {
  const own = new Map<number, unknown>();
  const numbersThere = new WeakMap<Error, number>();
  let last = 0;
  return {
    send(error) {
      const sent = describeError(error);
      const origin = error instanceof Error ? numbersThere.get(error) : undefined;
      if (origin !== undefined) return { ...sent, origin };
      own.set(++last, error);
      return { ...sent, thrown: last };
    },
    receive(sent) {
      if (sent.origin !== undefined && own.has(sent.origin)) return own.get(sent.origin);
      const error = remakeError(sent);
      if (sent.thrown !== undefined) numbersThere.set(error, sent.thrown);
      return error;
    },
    clear() {
      own.clear();
    },
  };
}
