// The whole job inside a page, and the same script as a worker of that page.
import { wholeJob, type JobResult } from './wholeJob.ts';

type Answer = { readonly result: JobResult } | { readonly failure: string };

if (typeof window === 'undefined') {
  addEventListener('message', ({ data }: MessageEvent<string>) => {
    wholeJob(data).then(
      (result) => {
        postMessage({ result } satisfies Answer);
      },
      (failure: unknown) => {
        postMessage({ failure: String(failure) } satisfies Answer);
      },
    );
  });
} else {
  Object.assign(window, { job: wholeJob, jobInWorker });
}

function jobInWorker(place: string): Promise<JobResult> {
  const worker = new Worker('/page.js', { type: 'module' });
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => {
      reject(new Error(message));
    };
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      worker.terminate();
      if ('result' in data) resolve(data.result);
      else reject(new Error(data.failure));
    };
    worker.postMessage(place);
  });
}
