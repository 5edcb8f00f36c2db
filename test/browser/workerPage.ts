// What the test of workers does inside the page: starts workers, and calls verbs in them.
import { fromArrays, isTransferKitError } from '../../src/index.ts';
import { connectTransferKit, type RemoteModel, type RemoteTransferKit } from '../../src/worker.ts';
import type { Functions } from '../worker/served.ts';
import { randomGenerator } from '../../src/core/random.ts';
import { tinyLabels, tinySamples } from '../support/tinyTask.ts';

/** What runs in the page. */
export interface WorkersInPage {
  /** Backend and threads of the worker. */
  backend(): Promise<readonly [string, number]>;
  /** Labels predicted for the same picture as canvas, video, img, SVG image, ImageBitmap, File and pixels. */
  predictElements(): Promise<readonly string[]>;
  /** Longest gap of a 10 ms timer in the page while a worker computes for 2 seconds without a pause. */
  longestGap(): Promise<number>;
  /** Code of the error of a call whose worker ends, and of connecting to a worker that does not start. */
  lost(): Promise<{ readonly terminated: string; readonly missing: string; readonly refused: string }>;
  /**
   * Trains with checkpoints in worker after worker: each is ended at a random moment, the last one is not.
   *
   * @param kills - Number of workers that are ended.
   * @returns Losses of all epochs, and how many checkpoints there were at each end.
   */
  trainThrough(kills: number, seed: number): Promise<readonly number[]>;
  /** What a worker that may not use locks, as one of a sandboxed frame, answers a while after it was connected. */
  withoutLocks(): Promise<unknown>;
  /** Ends a worker that trains while it computes without a pause, and goes on in the next one: what ended that. */
  inherit(): Promise<string | undefined>;
  /** Labels of so many predictions of a video. */
  live(predictions: number): Promise<readonly string[]>;
}

declare global {
  interface Window {
    workers?: WorkersInPage;
  }
}

type Kit = RemoteTransferKit<Functions>;

const startWorker = (address = '/worker.js') => new Worker(address, { type: 'module' });
let kit: Promise<Kit> | undefined;
const connected = () => (kit ??= connectTransferKit<Functions>(startWorker()));

async function code(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error: unknown) => (isTransferKitError(error) ? error.code : String(error)),
  );
}

/** A picture of 640 × 480: grey, with a white half. */
function canvasOf(): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.fillStyle = '#444444';
  context.fillRect(0, 0, 640, 480);
  context.fillStyle = '#ffffff';
  context.fillRect(320, 0, 320, 480);
  return canvas;
}

const addressOf = (canvas: HTMLCanvasElement) => canvas.toDataURL('image/png');

async function imageOf(canvas: HTMLCanvasElement): Promise<HTMLImageElement> {
  const image = Object.assign(new Image(), { src: addressOf(canvas) });
  await image.decode();
  return image;
}

function svgOf(canvas: HTMLCanvasElement): SVGImageElement {
  const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
  image.setAttribute('href', addressOf(canvas));
  return image;
}

async function videoOf(canvas: HTMLCanvasElement): Promise<HTMLVideoElement> {
  const video = Object.assign(document.createElement('video'), { srcObject: canvas.captureStream(), muted: true });
  const loaded = new Promise((resolve) => {
    video.addEventListener('loadeddata', resolve);
  });
  void video.play();
  // A canvas gives a frame whenever it is drawn on.
  const timer = setInterval(() => canvas.getContext('2d')?.fillRect(600, 400, 1, 1), 20);
  await loaded;
  clearInterval(timer);
  return video;
}

async function fileOf(canvas: HTMLCanvasElement): Promise<File> {
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve);
  });
  return new File([blob ?? ''], 'picture.png', { type: 'image/png' });
}

async function pictureModel(own: Kit): Promise<RemoteModel<'classes'>> {
  await own.useBackend('wasm');
  return own.replaceHead(await own.functions.tinyBase('unit'), { labels: tinyLabels, seed: 1 });
}

const training = { solver: 'gradient', epochs: 6, seed: 3, batchSize: 4 } as const;

window.workers = {
  async backend() {
    const { name, threads } = await (await connected()).useBackend('wasm');
    return [name, threads];
  },

  async predictElements() {
    const own = await connected();
    const model = await pictureModel(own);
    const canvas = canvasOf();
    const bitmap = await createImageBitmap(canvas);
    const sources = [canvas, await imageOf(canvas), svgOf(canvas), await videoOf(canvas), bitmap, await fileOf(canvas)];
    const predictions = await Promise.all(sources.map((source) => own.predict(model, source)));
    // A picture of the page's own stays open.
    predictions.push(await own.predict(model, bitmap));
    const examples = fromArrays({
      inputs: sources.filter((each) => !(each instanceof HTMLVideoElement)),
      targets: ['plain', 'plain', 'along', 'along', 'across'],
    });
    await own.trainHead(model, examples, { solver: 'gradient', epochs: 1 });
    model.dispose();
    return predictions.map((each) =>
      each.map(({ label, probability }) => `${label} ${probability.toFixed(2)}`).join(', '),
    );
  },

  async longestGap() {
    const own = await connected();
    let last = performance.now();
    let gap = 0;
    const timer = setInterval(() => {
      gap = Math.max(gap, performance.now() - last);
      last = performance.now();
    }, 10);
    await own.functions.busy(2000);
    clearInterval(timer);
    return gap;
  },

  async lost() {
    const worker = startWorker();
    const own = await connectTransferKit<Functions>(worker);
    const call = code(own.functions.busy(60_000));
    worker.terminate();
    return {
      terminated: await call,
      missing: await code(connectTransferKit(startWorker('/missing.js'))),
      refused: await code(connectTransferKit(startWorker('data:text/javascript,throw 1'))),
    };
  },

  async trainThrough(kills, seed) {
    const random = randomGenerator(seed);
    const checkpoint = { to: 'indexeddb://through', every: { steps: 1 } };
    for (let kill = 0; ; kill++) {
      const own = await connectTransferKit<Functions>(startWorker());
      await own.useBackend('wasm');
      const model = await own.functions.withHead({ labels: tinyLabels });
      const done = own.trainHead(model, tinySamples(), { ...training, checkpoint, resume: true });
      if (kill < kills) {
        await new Promise((resolve) => setTimeout(resolve, 40 + random() * 150));
        own.dispose();
        await done.catch(() => undefined);
        continue;
      }
      const { epochs } = await done;
      const [predictions] = [await own.predict(model, new Float32Array(768).fill(0.4))];
      own.dispose();
      return [...epochs.map(({ loss }) => loss), ...predictions.map(({ probability }) => probability)];
    }
  },

  async withoutLocks() {
    const refuse = "LockManager.prototype.request = () => Promise.reject(new DOMException('', 'SecurityError'));";
    const program = `${refuse} await import('${location.origin}/worker.js');`;
    const address = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
    const own = await connectTransferKit<Functions>(startWorker(address), { seconds: 10 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answer = await own.functions.echo('alive');
    own.dispose();
    return answer;
  },

  async inherit() {
    const options = { ...training, epochs: 1000, checkpoint: { to: 'indexeddb://inherited' }, resume: true } as const;
    const start = async () => {
      const own = await connectTransferKit<Functions>(startWorker());
      await own.useBackend('wasm');
      return { own, model: await own.functions.withHead({ labels: tinyLabels }) };
    };
    const [first, next] = [await start(), await start()];
    await new Promise<void>((trains) => {
      first.own
        .trainHead(first.model, tinySamples(), {
          ...options,
          onEpoch: () => {
            trains();
          },
        })
        .catch(() => undefined);
    });
    first.own.functions.busy(60_000).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    first.own.dispose();
    const stop = new AbortController();
    const log = await next.own.trainHead(next.model, tinySamples(), {
      ...options,
      signal: stop.signal,
      onEpoch: () => {
        stop.abort();
      },
    });
    next.own.dispose();
    return log.stoppedBy;
  },

  async live(predictions) {
    const own = await connected();
    const model = await pictureModel(own);
    const video = await videoOf(canvasOf());
    const labels: string[] = [];
    for await (const [best] of own.predictLive(model, video, { topK: 1 })) {
      if (best !== undefined) labels.push(best.label);
      if (labels.length === predictions) break;
    }
    model.dispose();
    return labels;
  },
};
