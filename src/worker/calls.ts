// The calls of one side that have no answer yet.
import { closePicture, decode, encode, type CodecParts } from './codec.ts';
import type { Change, Message, Target } from './messages.ts';
import { openScope, type Scope } from './scope.ts';
import type { ThrownErrors } from './thrownErrors.ts';

/** What calls and answers need of their side. */
export interface SideParts {
  readonly post: (message: Message, transfer: readonly Transferable[]) => void;
  readonly parts: CodecParts;
  readonly errors: ThrownErrors;
  /** Called at the end of every call. */
  readonly onEnd: () => void;
}

/** Calls to the other side. */
export interface Calls {
  readonly request: (target: Target, args: readonly unknown[]) => Promise<unknown>;
  /** Takes the answer to a call. */
  readonly settle: (message: Extract<Message, { transferkit: 'result' | 'failure' }>) => void;
  /** Rejects all calls without an answer, and all later ones. */
  readonly fail: (error: () => Error) => void;
  /** Number of calls without an answer. */
  readonly open: () => number;
}

interface OpenCall {
  readonly scope: Scope;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the table of one side. */
export function openCalls({ post, parts, errors, onEnd }: SideParts): Calls {
  const open = new Map<number, OpenCall>();
  let last = 0;
  let failure: (() => Error) | undefined;

  const end = (id: number): OpenCall | undefined => {
    const call = open.get(id);
    open.delete(id);
    return call;
  };

  return {
    async request(target, args) {
      const scope = openScope();
      const id = ++last;
      try {
        const { value, transfer } = await encode('arguments', args, scope, parts);
        return await new Promise((resolve, reject) => {
          if (failure !== undefined) {
            transfer.forEach(closePicture);
            throw failure();
          }
          open.set(id, { scope, resolve, reject });
          post({ transferkit: 'call', id, target, args: value }, transfer);
        });
      } finally {
        open.delete(id);
        scope.end();
        onEnd();
      }
    },
    settle(message) {
      const call = end(message.id);
      if (call === undefined) return;
      if (message.transferkit === 'failure') {
        call.reject(errors.receive(message.error));
        return;
      }
      try {
        const changes = decode(message.changes, call.scope, parts) as readonly Change[];
        for (const change of changes) parts.references.update(change);
        call.resolve(decode(message.value, call.scope, parts));
      } catch (error) {
        call.reject(error);
      }
    },
    fail(error) {
      failure = error;
      for (const id of [...open.keys()]) end(id)?.reject(error());
    },
    open: () => open.size,
  };
}
