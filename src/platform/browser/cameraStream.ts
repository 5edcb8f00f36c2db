// The stream of a camera: asked for, shown by a video element, and ended.
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';
import { cameraError, problemOf } from './cameraError.ts';

/** Which camera of a phone or tablet: that on the side of the screen, or that on the back. */
export type Facing = 'user' | 'environment';

/** What is asked of a camera. */
interface StreamOptions {
  readonly facing: Facing;
  /** Pixels that its pictures should have, at least. */
  readonly height: number;
  readonly width: number;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds until the first picture must have come. */
const patience = 10_000;

/**
 * Asks for a camera, and for the user's permission.
 *
 * @throws TransferKitError `CAMERA_UNAVAILABLE`, `ABORTED`.
 */
export async function openStream({ facing, height, width, signal }: StreamOptions): Promise<MediaStream> {
  // Pages without https do not have it, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) throw cameraError('insecure');
  if (signal?.aborted === true) throw stopped(signal);
  const opening = devices.getUserMedia({
    audio: false,
    video: {
      facingMode: { ideal: facing },
      width: { ideal: Math.max(width, 640) },
      height: { ideal: Math.max(height, 480) },
    },
  });
  const stream = await untilAborted(opening, signal).catch((cause: unknown) => {
    // Permission may still be given: nobody would turn the camera off again.
    opening.then(endStream, () => undefined);
    throw isTransferKitError(cause) ? cause : cameraError(problemOf(cause), cause);
  });
  return stream;
}

/** Turns a camera off. */
export function endStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * Shows a stream in a new video element, and waits for its first picture.
 *
 * @throws TransferKitError `CAMERA_UNAVAILABLE`, `ABORTED`.
 */
export async function showStream(stream: MediaStream, signal: AbortSignal | undefined): Promise<HTMLVideoElement> {
  const video = document.createElement('video');
  // Telephones play only muted videos without a tap, and show others on the whole screen.
  Object.assign(video, { muted: true, playsInline: true, autoplay: true, srcObject: stream });
  const [track] = stream.getVideoTracks();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const first = new Promise<void>((resolve, reject) => {
    video.addEventListener('loadeddata', () => {
      video.play().then(resolve, (cause: unknown) => {
        reject(cameraError('silent', cause));
      });
    });
    track?.addEventListener('ended', () => {
      reject(cameraError('lost'));
    });
    timer = setTimeout(() => {
      reject(cameraError('silent'));
    }, patience);
  });
  try {
    await untilAborted(first, signal);
    return video;
  } catch (error) {
    video.srcObject = null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function stopped({ reason }: AbortSignal): TransferKitError {
  return new TransferKitError('ABORTED', 'was stopped by its signal.', {}, reason);
}

/** What a promise gives, unless a signal comes first. */
async function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(stopped(signal));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}
