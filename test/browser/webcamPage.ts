// What the test of cameras does inside the page.
import { fromArrays, isTransferKitError } from '../../src/index.ts';
import { imageFiles, webcam, type Webcam, type WebcamOptions } from '../../src/browser.ts';
import { platform } from '../../src/platform/browser/platform.ts';

/** What an error says. */
export interface Told {
  readonly code: string;
  readonly problem: unknown;
  readonly message: string;
}

/** What runs in the page. */
export interface WebcamInPage {
  /** Starts a camera; gives what went wrong, if anything. */
  start(options?: WebcamOptions): Promise<Told | undefined>;
  /** Starts a camera and aborts while it starts. */
  startAborted(): Promise<Told | undefined>;
  /**
   * Starts a camera while the browser's `play` works as named: 'lost' ends the camera in the middle of it, 'hung' never
   * ends and is aborted; 'aborted' is a signal that is aborted before.
   */
  startBadly(
    how: 'lost' | 'hung' | 'aborted',
  ): Promise<{ told: Told | undefined; asked: number; tracks: readonly string[] }>;
  /** The shown element, and what the camera says of itself. */
  state(): { style: string; size: readonly number[]; paused: boolean; hasStream: boolean; tracks: readonly string[] };
  /** One picture: its type, bytes, and decoded size. */
  capture(): Promise<{ type: string; bytes: number; size: readonly number[] }>;
  /** Whether a frame is that of an unmirrored canvas of the same moment, mirrored. */
  isMirrored(): boolean;
  /** Holds a button for some time. */
  hold(label: string, milliseconds: number, perSecond: number): Promise<{ held: readonly string[]; heard: number }>;
  /** Takes pictures without a signal. */
  burst(label: string, most: number): Promise<number>;
  /** What can be made of captured pictures. */
  samples(): Promise<{ byFolder: Readonly<Record<string, number>>; byArrays: number }>;
  stop(): void;
  /** What a capture says now. */
  captureFails(label?: string): Promise<Told | undefined>;
  /** Holds a button and stops the camera meanwhile; gives the number of pictures. */
  stopWhileHeld(): Promise<number>;
  /** As the browser does when a camera is disconnected, while a button is held. */
  disconnect(): Promise<{ capture: Told | undefined; lost: readonly string[]; seen: number }>;
  /** Has getUserMedia reject with an error of this name. */
  failWith(name: string, message: string): void;
}

declare global {
  interface Window {
    camera?: WebcamInPage;
  }
}

let camera: Webcam | undefined;
let stream: MediaStream | undefined;
const lost: string[] = [];

function tell(error: unknown): Told {
  if (!isTransferKitError(error)) throw error;
  return { code: error.code, problem: error.details.problem, message: error.message };
}

const toldBy = (work: Promise<unknown>): Promise<Told | undefined> => work.then(() => undefined, tell);

function running(): Webcam {
  if (camera === undefined) throw new Error('no camera');
  return camera;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function start(options: WebcamOptions = {}): Promise<void> {
  camera = await webcam({ ...options, onLost: (error) => lost.push(error.message) });
  document.body.append(camera.video);
  stream = camera.video.srcObject instanceof MediaStream ? camera.video.srcObject : undefined;
}

window.camera = {
  start: (options) => toldBy(start(options)),
  async startAborted() {
    const aborted = new AbortController();
    const starting = toldBy(webcam({ signal: aborted.signal }));
    aborted.abort();
    return starting;
  },
  async startBadly(how) {
    const { mediaDevices: devices } = navigator;
    const ask = devices.getUserMedia.bind(devices);
    const play = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'play') ?? {};
    const streams: MediaStream[] = [];
    const aborted = new AbortController();
    let asked = 0;
    devices.getUserMedia = async (wanted) => {
      asked++;
      const found = await ask(wanted);
      streams.push(found);
      return found;
    };
    HTMLMediaElement.prototype.play = () => {
      if (how === 'lost') streams[0]?.getTracks()[0]?.dispatchEvent(new Event('ended'));
      setTimeout(() => {
        aborted.abort();
      });
      return how === 'lost' ? pause(50).then(() => undefined) : new Promise(() => undefined);
    };
    if (how === 'aborted') aborted.abort();
    try {
      const told = await toldBy(webcam(how === 'lost' ? {} : { signal: aborted.signal }));
      const tracks = streams.flatMap((each) => each.getTracks().map(({ readyState }) => readyState));
      return { told, asked, tracks };
    } finally {
      devices.getUserMedia = ask;
      Object.defineProperty(HTMLMediaElement.prototype, 'play', play);
    }
  },
  state() {
    const { video, size } = running();
    const tracks = stream?.getTracks().map(({ readyState }) => readyState) ?? [];
    return { style: video.style.cssText, size, paused: video.paused, hasStream: video.srcObject !== null, tracks };
  },
  async capture() {
    const picture = await running().capture();
    const { width, height } = await platform.decodePicture(picture);
    return { type: picture.type, bytes: picture.size, size: [height, width] };
  },
  isMirrored() {
    // Of a paused video both draw the same frame.
    const { video } = running();
    video.pause();
    const { width, height } = running().frame();
    const plain = new OffscreenCanvas(width, height).getContext('2d');
    if (plain === null) throw new Error('no canvas');
    const scale = Math.min(video.videoWidth / width, video.videoHeight / height);
    const [cutWidth, cutHeight] = [width * scale, height * scale];
    const [left, top] = [(video.videoWidth - cutWidth) / 2, (video.videoHeight - cutHeight) / 2];
    plain.imageSmoothingQuality = 'high';
    plain.drawImage(video, left, top, cutWidth, cutHeight, 0, 0, width, height);
    const there = plain.getImageData(0, 0, width, height).data;
    const here = running().frame().getContext('2d')?.getImageData(0, 0, width, height).data;
    void video.play();
    const differences = Array.from({ length: width * height }, (_, i) => {
      const other = Math.floor(i / width) * width + (width - 1 - (i % width));
      return Math.abs((there[4 * i] ?? 0) - (here?.[4 * other] ?? 0));
    });
    return (
      new Set(there).size > 2 && differences.filter((difference) => difference > 16).length < width * height * 0.01
    );
  },
  async hold(label, milliseconds, perSecond) {
    const held = new AbortController();
    let heard = 0;
    const capturing = running().capture(label, {
      signal: held.signal,
      perSecond,
      onPicture: () => {
        heard++;
      },
    });
    await pause(milliseconds);
    held.abort();
    const pictures = await capturing;
    return { held: pictures.map(({ webkitRelativePath }) => webkitRelativePath), heard };
  },
  burst: async (label, most) => (await running().capture(label, { most, perSecond: 60 })).length,
  async samples() {
    const cups = await running().capture('cup', { most: 3, perSecond: 60 });
    const pens = await running().capture('pen', { most: 2, perSecond: 60 });
    const inputs = [...cups, ...pens];
    const targets = inputs.map((_, i) => (i < 3 ? 'cup' : 'pen'));
    return { byFolder: imageFiles(inputs).classCounts, byArrays: fromArrays({ inputs, targets }).size };
  },
  stop: () => {
    running().stop();
  },
  captureFails: (label) => toldBy(label === undefined ? running().capture() : running().capture(label)),
  async stopWhileHeld() {
    const capturing = running().capture('cup');
    await pause(150);
    running().stop();
    return (await capturing).length;
  },
  async disconnect() {
    let seen = 0;
    const capturing = toldBy(
      running().capture('cup', {
        onPicture: () => {
          seen++;
        },
      }),
    );
    await pause(150);
    const [track] = stream?.getTracks() ?? [];
    track?.dispatchEvent(new Event('ended'));
    return { capture: await capturing, lost, seen };
  },
  failWith(name, message) {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException(message, name));
  },
};
