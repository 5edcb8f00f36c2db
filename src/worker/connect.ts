// The page's side: starts the conversation with a worker, and notices its end.
import type { Endpoint, WorkerLinks } from '../core/endpoint.ts';
import { TransferKitError } from '../core/errors.ts';
import { invalidOption, isObject } from '../core/optionChecks.ts';
import { isMessage, protocol, type Message } from './messages.ts';
import { pageKinds } from './pageValues.ts';
import { openPeer } from './peer.ts';
import { workerKinds } from './workerValues.ts';

/** A connection to a worker. */
export interface Connection {
  /** Names of the app's own functions. */
  readonly functions: readonly string[];
  readonly request: (name: string, args: readonly unknown[]) => Promise<unknown>;
  /** Ends the worker. */
  readonly close: () => void;
}

/**
 * Connects to a worker that serves.
 *
 * @param seconds - How long it may take to start.
 * @throws TransferKitError `INVALID_OPTION` for a value that is no worker, `WORKER_LOST`.
 */
export function connect(links: WorkerLinks, worker: unknown, seconds: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    if (isObject(worker) && connected.has(worker)) {
      throw invalidOption(
        'a worker without a connection',
        worker,
        'one that has, or had, one: use that, or start another',
      );
    }
    let isReady = false;
    /** What the worker's program failed with, where the environment says it. */
    let uncaught: string | undefined;
    const lose = (reason: string, advice: string): void => {
      const error = () =>
        new TransferKitError('WORKER_LOST', `expected a worker that runs, but ${reason}. ${advice}`, { reason });
      clearTimeout(timer);
      reject(error());
      peer.fail(error);
      endpoint.close();
    };
    const send = (message: Message, transfer: readonly Transferable[]): void => {
      endpoint.send(message, transfer);
    };
    const peer = openPeer({
      gives: pageKinds,
      takes: workerKinds,
      functions: new Map(),
      send,
      snapshot: (value) => links.snapshot(value),
    });
    const begin = (message: Extract<Message, { transferkit: 'ready' }>): void => {
      if (message.protocol !== protocol) {
        lose('it has another version of transferkit', 'Build page and worker with the same one.');
        return;
      }
      clearTimeout(timer);
      isReady = true;
      if (message.isShown) {
        links.watchLife(life, () => {
          lose('it has ended', startAgain);
        });
      }
      resolve({
        functions: message.functions,
        request: peer.request,
        close() {
          lose('it was closed', startAgain);
        },
      });
    };
    const endpoint: Endpoint = links.connect(worker, {
      message(data) {
        if (!isMessage(data)) return;
        if (data.transferkit === 'listening') greet();
        else if (data.transferkit === 'ready') begin(data);
        else peer.receive(data);
      },
      error(reason) {
        // A worker goes on after an uncaught error of the app's code.
        if (!isReady) lose(reason, "Check the worker's address and its program, which must call serveTransferKit().");
        uncaught = reason;
      },
      end() {
        lose(uncaught === undefined ? 'it has ended' : `it has ended: ${uncaught.replace(/\.$/, '')}`, startAgain);
      },
    });
    connected.add(Object(worker) as object);
    const life = `transferkit-worker-${String(performance.timeOrigin + performance.now())}-${String(++connections)}`;
    const greet = (): void => {
      send({ transferkit: 'hello', protocol, life }, []);
    };
    const timer = setTimeout(
      () => {
        lose(`it did not answer for ${String(seconds)} s`, 'Its program must call serveTransferKit().');
      },
      Math.min(seconds * 1000, longestTimer),
    );
    greet();
  });
}

let connections = 0;
/** Workers that have, or had, a connection: a second one would get the answers of the first one. */
const connected = new WeakSet<object>();

/** Longer times make timers fire at once. */
const longestTimer = 2 ** 31 - 1;

const startAgain = 'Start a new one; a training with a checkpoint goes on there with resume: true.';
