// Threads in a browser: web workers. They share memory only in pages that are cross-origin isolated.
import type { Thread, Threads } from '../../core/platform.ts';

/** Milliseconds after which a worker that neither starts nor fails is given up. */
const patience = 10_000;

/** Web workers. */
export const browserThreads: Threads = {
  cores: () => navigator.hardwareConcurrency || 1,
  // Pages must not block; workers may.
  mayWait: typeof window === 'undefined',
  async start(source, data) {
    try {
      return await begin(fileWorker(), data);
    } catch {
      // Not every bundler takes the file along. A policy (`worker-src`) may refuse this one.
      return begin(textWorker(source), data);
    }
  },
};

/** The build writes the file: the same code as the text. */
function fileWorker(): Worker {
  return new Worker(new URL('./thread.js', import.meta.url), { type: 'module' });
}

function textWorker(source: string): Worker {
  const address = URL.createObjectURL(new Blob([workerCode(source)], { type: 'text/javascript' }));
  const worker = new Worker(address);
  URL.revokeObjectURL(address);
  return worker;
}

/**
 * A worker's code: it says that it runs, and then calls a function with what it is sent.
 *
 * @public The build writes it into a file.
 */
export function workerCode(source: string): string {
  return `onmessage = (event) => (${source})(event.data);\npostMessage('ready');\n`;
}

function begin(worker: Worker, data: unknown): Promise<Thread> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      worker.terminate();
      reject(new Error(reason));
    };
    const timer = setTimeout(() => {
      fail('a worker did not start');
    }, patience);
    worker.onerror = (event) => {
      clearTimeout(timer);
      event.preventDefault();
      fail(`a worker was refused: ${event.message || 'no reason given'}`);
    };
    worker.onmessage = () => {
      clearTimeout(timer);
      worker.onerror = null;
      worker.postMessage(data);
      resolve({
        terminate: () => {
          worker.terminate();
        },
      });
    };
  });
}
