// Abort signals across threads: the other side gets a signal of its own, which is aborted by a message.
import type { Scope } from './scope.ts';
import { describeError, remakeError, type SentError } from './sentErrors.ts';

/** A signal as it is sent. */
export interface SentSignal {
  readonly id: number;
  /** Why it was aborted; undefined while it is not. It changes until the message is sent. */
  aborted: SentError | undefined;
}

/** Signals given to the other side, and got from it. */
export interface Signals {
  give(signal: AbortSignal, scope: Scope): SentSignal;
  take(sent: SentSignal, scope: Scope): AbortSignal;
  /** Aborts a signal that the other side gave. */
  abort(id: number, reason: SentError): void;
}

/**
 * Opens the table of one side.
 *
 * @param send - Tells the other side that a signal is aborted.
 */
export function openSignals(send: (id: number, reason: SentError) => void): Signals {
  const controllers = new Map<number, AbortController>();
  let last = 0;
  return {
    give(signal, scope) {
      const id = ++last;
      const sent: SentSignal = { id, aborted: signal.aborted ? describeError(signal.reason) : undefined };
      const abort = () => {
        // Before the call itself is sent, the other side does not know the signal.
        sent.aborted = describeError(signal.reason);
        send(id, sent.aborted);
      };
      signal.addEventListener('abort', abort, { once: true });
      scope.atEnd(() => {
        signal.removeEventListener('abort', abort);
      });
      return sent;
    },
    take({ id, aborted }, scope) {
      const controller = new AbortController();
      if (aborted !== undefined) controller.abort(remakeError(aborted));
      controllers.set(id, controller);
      scope.atEnd(() => controllers.delete(id));
      return controller.signal;
    },
    abort: (id, reason) => controllers.get(id)?.abort(remakeError(reason)),
  };
}
