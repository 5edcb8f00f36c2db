// Workers of Node (node:worker_threads).
import { parentPort, Worker, type MessagePort } from 'node:worker_threads';
import type { Endpoint, EndpointEvents, WorkerLinks } from '../../core/endpoint.ts';
import { invalidOption } from '../../core/optionChecks.ts';

/** Workers of Node. */
export const nodeWorkers: WorkerLinks = {
  connect(worker, events) {
    if (!(worker instanceof Worker)) throw invalidOption('a Worker of node:worker_threads', worker);
    worker.on('error', (error: unknown) => {
      events.error(error instanceof Error ? error.message : String(error));
    });
    worker.on('exit', () => {
      events.end();
    });
    return listen(worker, events, () => void worker.terminate());
  },
  parent: (events) => (parentPort === null ? undefined : listen(parentPort, events, () => parentPort?.close())),
  // The event 'exit' reports the end of a worker.
  showLife: () => Promise.resolve(false),
  watchLife: () => undefined,
  snapshot: () => Promise.resolve(undefined),
};

function listen(port: Worker | MessagePort, events: EndpointEvents, end: () => void): Endpoint {
  const onMessage = (data: unknown) => {
    events.message(data);
  };
  port.on('message', onMessage);
  return {
    send: (message, transfer) => {
      // Node's list of what can be transferred differs from a page's; nothing that differs is ever transferred in Node.
      port.postMessage(
        message,
        transfer.filter((part) => part instanceof ArrayBuffer),
      );
    },
    close() {
      port.off('message', onMessage);
      end();
    },
  };
}
