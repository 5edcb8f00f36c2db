// The benchmark inside the page: the head in a worker, the gaps of the page's timer meanwhile, and a live video.
import { fromArrays } from 'transferkit';
import { connectTransferKit } from 'transferkit/worker';
import { secondsForHead, targets } from './task.js';

let kit;
let model;

globalThis.bench = {
  async start(threads) {
    kit = await connectTransferKit(new Worker('/worker.js', { type: 'module' }));
    const files = await Promise.all(targets.map(async (_, i) => (await fetch(`/${i}.jpg`)).blob()));
    this.samples = fromArrays({ inputs: files, targets });
    return kit.useBackend('wasm', { threads });
  },
  async head() {
    const watched = watchGaps();
    const result = await secondsForHead(kit, this.samples);
    model?.dispose();
    ({ model } = result);
    return { seconds: result.seconds, longestGap: watched.end() };
  },
  async live(seconds) {
    const video = await drawnVideo();
    const signal = AbortSignal.timeout(seconds * 1000);
    const watched = watchGaps();
    let count = 0;
    for await (const [best] of kit.predictLive(model, video, { signal, topK: 1, maxPerSecond: 1000 })) {
      if (best !== undefined) count++;
    }
    return { perSecond: count / seconds, longestGap: watched.end() };
  },
};

/** The longest gap of a timer of 10 ms, in milliseconds. */
function watchGaps() {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 10);
  return {
    end() {
      clearInterval(timer);
      return longest;
    },
  };
}

/** A video of 640 × 480 that changes 30 times a second. */
async function drawnVideo() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const context = canvas.getContext('2d');
  let frame = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${frame++ % 360} 80% 50%)`;
    context.fillRect(0, 0, 640, 480);
  }, 33);
  const video = Object.assign(document.createElement('video'), { srcObject: canvas.captureStream(30), muted: true });
  const loaded = new Promise((resolve) => video.addEventListener('loadeddata', resolve, { once: true }));
  void video.play();
  await loaded;
  return video;
}
