// Threads in a browser: web workers. They share memory only in pages that are cross-origin isolated.
import type { Threads } from '../../core/platform.ts';

/** Web workers. */
export const browserThreads: Threads = {
  cores: () => navigator.hardwareConcurrency || 1,
  mayWait: false,
  start(source, data) {
    const code = `onmessage = (event) => (${source})(event.data);`;
    const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const worker = new Worker(address);
    worker.postMessage(data);
    URL.revokeObjectURL(address);
    return {
      terminate: () => {
        worker.terminate();
      },
    };
  },
};
