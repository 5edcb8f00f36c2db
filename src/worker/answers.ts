// Answers the calls of the other side.
import { invalidOption } from '../core/optionChecks.ts';
import type { SideParts } from './calls.ts';
import { closePicture, decode, encode } from './codec.ts';
import type { Change, Message, Target } from './messages.ts';
import { openScope, type Scope } from './scope.ts';
import { describeError } from './sentErrors.ts';

/** Functions that may be called by name. */
export type CallableFunctions = ReadonlyMap<string, (...args: readonly unknown[]) => unknown>;

/** Answers to the other side. */
export interface Answers {
  /** Runs a call and sends its result, or its error. */
  readonly answer: (message: Extract<Message, { transferkit: 'call' }>) => Promise<void>;
  /** Number of calls that run. */
  readonly open: () => number;
}

/** Opens one side for calls. */
export function openAnswers({ post, parts, errors, onEnd }: SideParts, functions: CallableFunctions): Answers {
  let open = 0;

  const callTarget = ({ of, name }: Target, args: readonly unknown[], scope: Scope): unknown => {
    if (of !== undefined) return parts.references.call(of, name, args, scope);
    const called = functions.get(name);
    if (called !== undefined) return called(...args);
    throw invalidOption(`a function that the worker serves (${[...functions.keys()].join(', ')})`, name);
  };

  const fail = (id: number, error: unknown): void => {
    try {
      post({ transferkit: 'failure', id, error: errors.send(error) }, []);
    } catch {
      // An error with fields that cannot be sent. Without an answer its caller would wait for ever.
      post({ transferkit: 'failure', id, error: describeError(String(error)) }, []);
    }
  };

  return {
    async answer({ id, target, args }) {
      const scope = openScope();
      open++;
      try {
        const given = decode(args, scope, parts, closeAtEnd(scope)) as readonly unknown[];
        const result = await callTarget(target, given, scope);
        await scope.finish();
        const { value, transfer } = await encode('result', result, scope, parts);
        const changes = await encode('changes', parts.references.changes(scope), scope, parts);
        post({ transferkit: 'result', id, value, changes: changes.value as readonly Change[] }, transfer);
      } catch (error) {
        fail(id, error);
      } finally {
        open--;
        scope.end();
        onEnd();
      }
    },
    open: () => open,
  };
}

/** Pictures that came with a call are this side's own. They are freed when it has ended. */
function closeAtEnd(scope: Scope): (value: object) => void {
  return (value) => {
    scope.atEnd(() => {
      closePicture(value);
    });
  };
}
