// One side of a connection: calls and answers them. Page and worker are alike in this.
import { reasonOf, TransferKitError } from '../core/errors.ts';
import { openAnswers, type CallableFunctions } from './answers.ts';
import { openCalls, type SideParts } from './calls.ts';
import type { CodecParts } from './codec.ts';
import type { Kind } from './kind.ts';
import type { Message } from './messages.ts';
import { openReferences } from './references.ts';
import { openSignals } from './signals.ts';
import { openThrownErrors } from './thrownErrors.ts';

/** A side. */
export interface Peer {
  /** Calls a function of the other side. */
  readonly request: (name: string, args: readonly unknown[]) => Promise<unknown>;
  /** Takes a message about a call. */
  readonly receive: (message: Message) => void;
  /** Rejects all calls that have no answer yet, and all later ones. */
  readonly fail: (error: () => Error) => void;
}

/** Settings of {@link openPeer}. */
export interface PeerSettings {
  readonly gives: readonly Kind[];
  readonly takes: readonly Kind[];
  /** Functions that the other side may call. */
  readonly functions: CallableFunctions;
  readonly send: (message: Message, transfer: readonly Transferable[]) => void;
  readonly snapshot: (value: unknown) => Promise<Transferable | undefined>;
}

/** Opens a side. */
export function openPeer({ gives, takes, functions, send, snapshot }: PeerSettings): Peer {
  const errors = openThrownErrors();
  const parts: CodecParts = {
    references: openReferences({ gives, takes, request: (target, args) => calls.request(target, args) }),
    signals: openSignals((signal, reason) => {
      send({ transferkit: 'abort', signal, reason }, []);
    }),
    snapshot,
  };
  // An error comes back at the end of the outermost call at the latest.
  const forgetErrors = (): void => {
    if (calls.open() + answers.open() === 0) errors.clear();
  };
  const side: SideParts = { post: checked(send), parts, errors, onEnd: forgetErrors };
  const calls = openCalls(side);
  const answers = openAnswers(side, functions);
  return {
    request: (name, args) => calls.request({ name }, args),
    fail: calls.fail,
    receive(message) {
      if (message.transferkit === 'call') void answers.answer(message);
      else if (message.transferkit === 'abort') parts.signals.abort(message.signal, message.reason);
      else if (message.transferkit === 'result' || message.transferkit === 'failure') calls.settle(message);
    },
  };
}

/** Structured clone refuses some of what the codec lets pass, such as a buffer that is detached. */
function checked(send: PeerSettings['send']): PeerSettings['send'] {
  return (message, transfer) => {
    try {
      send(message, transfer);
    } catch (cause) {
      const reason = reasonOf(cause);
      const text = `expected data that can be sent to another thread, but: ${reason}`;
      throw new TransferKitError('INVALID_OPTION', text, { reason }, cause);
    }
  };
}
