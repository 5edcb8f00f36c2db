// The worker that computes: started when it is needed, and again when it was lost.
import { connectTransferKit, type RemoteSource, type RemoteTransferKit } from 'transferkit/worker';
import { isTransferKitError } from 'transferkit';
import { change } from './state.ts';

/** The verbs in the worker. */
export type Kit = RemoteTransferKit;

/** What `loadBase` of the worker takes. */
export type BaseSource = RemoteSource;

let starting: Promise<Kit> | undefined;

/** Connects to the worker; the same one until it is lost. */
export function connected(): Promise<Kit> {
  return (starting ??= start().catch((error: unknown) => {
    starting = undefined;
    throw error;
  }));
}

async function start(): Promise<Kit> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const kit = await connectTransferKit(worker);
  const { name, threads } = await kit.useBackend();
  change({ backend: threads > 1 ? `${name}, ${threads} threads` : name });
  return kit;
}

/** Whether an error says that the worker, or what it computes on, is gone. The next call starts another one. */
export function wasLost(error: unknown): boolean {
  const isLost = isTransferKitError(error, 'WORKER_LOST') || isTransferKitError(error, 'BACKEND_LOST');
  if (isLost) {
    starting?.then(
      (kit) => {
        kit.dispose();
      },
      () => undefined,
    );
    starting = undefined;
    change({ backend: undefined });
  }
  return isLost;
}
