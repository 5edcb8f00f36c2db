// The worker's side: answers the page's calls.
import type { Endpoint, WorkerLinks } from '../core/endpoint.ts';
import { TransferKitError } from '../core/errors.ts';
import { isMessage, protocol, type Message } from './messages.ts';
import { pageKinds } from './pageValues.ts';
import { openPeer } from './peer.ts';
import { workerKinds } from './workerValues.ts';

/** A function that a page calls by name. What it gets came from another thread: it checks it itself, as for any program. */
export type ServedFunction = (...args: never) => unknown;

/**
 * Answers calls until the worker ends.
 *
 * @param functions - All of them, by name.
 * @param own - Names of those that belong to the app.
 * @returns Whether this is a worker.
 * @throws TransferKitError `INVALID_OPTION` for a second call: each one would answer.
 */
export function serve(
  links: WorkerLinks,
  functions: Readonly<Record<string, ServedFunction>>,
  own: readonly string[],
): boolean {
  if (isServing) {
    const text = 'expected one call in a worker, got a second one. Give all functions to the first one.';
    throw new TransferKitError('INVALID_OPTION', text);
  }
  const send = (message: Message, transfer: readonly Transferable[]): void => {
    endpoint?.send(message, transfer);
  };
  const calls = Object.entries(functions).map(
    ([name, call]) => [name, (...args: readonly unknown[]): unknown => Reflect.apply(call, undefined, args)] as const,
  );
  const peer = openPeer({
    gives: workerKinds,
    takes: pageKinds,
    functions: new Map(calls),
    send,
    snapshot: (value) => links.snapshot(value),
  });
  const endpoint: Endpoint | undefined = links.parent({
    message(data) {
      if (!isMessage(data)) return;
      if (data.transferkit === 'hello') void greet(data.life);
      else peer.receive(data);
    },
    error: () => undefined,
    end: () => undefined,
  });
  let isGreeted = false;
  const greet = async (life: string): Promise<void> => {
    if (isGreeted) return;
    isGreeted = true;
    const isShown = await links.showLife(life);
    send({ transferkit: 'ready', protocol, functions: own, isShown }, []);
  };
  // A page may have said hello before this program ran.
  send({ transferkit: 'listening' }, []);
  isServing = endpoint !== undefined;
  return isServing;
}

let isServing = false;
