// Web workers: messages, signs of life, and elements of a page as pictures that can be sent.
import type { Endpoint, EndpointEvents, WorkerLinks } from '../../core/endpoint.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import { isDrawable, readyToDraw } from './drawable.ts';
import { hasLocks, takeLock } from './locks.ts';
import { unreadable } from './unreadable.ts';

/** Workers of a browser. */
export const browserWorkers: WorkerLinks = {
  connect(worker, events) {
    if (typeof Worker === 'undefined' || !(worker instanceof Worker)) {
      throw invalidOption(
        "a worker, such as new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })",
        worker,
      );
    }
    return listen(worker, events, () => {
      worker.terminate();
    });
  },
  parent(events) {
    const scope: unknown = globalThis;
    return isWorkerScope(scope) ? listen(scope, events, () => undefined) : undefined;
  },
  // A worker that its page ends fires no event, but its locks are released. Pages without locks only learn of errors.
  async showLife(name) {
    // Workers of a data: address and of sandboxed frames have locks, and may not use them.
    const release = hasLocks() ? await takeLock(name).catch(() => undefined) : undefined;
    return release !== undefined;
  },
  watchLife(name, ended) {
    if (hasLocks()) navigator.locks.request(name, ended).catch(() => undefined);
  },
  async snapshot(value) {
    if (!isDrawable(value)) return undefined;
    const { name, image } = await readyToDraw(value);
    return createImageBitmap(image).catch((cause: unknown) => {
      throw unreadable(name, cause);
    });
  },
};

type Port = Pick<Worker, 'postMessage' | 'addEventListener' | 'removeEventListener'>;

function listen(port: Port, events: EndpointEvents, end: () => void): Endpoint {
  const onMessage = ({ data }: MessageEvent<unknown>) => {
    events.message(data);
  };
  const onError = (event: ErrorEvent) => {
    events.error(event.message || 'its file could not be loaded, or its program could not be read');
  };
  const onUnreadable = () => {
    events.error('a message could not be read');
  };
  port.addEventListener('message', onMessage);
  port.addEventListener('error', onError);
  port.addEventListener('messageerror', onUnreadable);
  return {
    send: (message, transfer) => {
      port.postMessage(message, [...transfer]);
    },
    close() {
      port.removeEventListener('message', onMessage);
      port.removeEventListener('error', onError);
      port.removeEventListener('messageerror', onUnreadable);
      end();
    },
  };
}

/** Whether this is the global scope of a worker. Its type belongs to a library of the compiler that excludes the page's. */
function isWorkerScope(scope: unknown): scope is Port {
  return typeof document === 'undefined' && typeof scope === 'object' && scope !== null && 'postMessage' in scope;
}
