// A camera of a page: shown, asked for single pictures, and for many while a button is held.
import { nameErrors } from '../../core/edge.ts';
import type { TransferKitError } from '../../core/errors.ts';
import { assertOneOf, assertWhole, invalidOption } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { cameraError } from './cameraError.ts';
import { makeCamera, styleAsPicture, toFile, type PictureForm } from './cameraPicture.ts';
import { endStream, openStream, showStream, type Facing } from './cameraStream.ts';
import { holdCapture, settleCapture, type CaptureOptions } from './holdCapture.ts';

/** Options of {@link webcam}. */
export interface WebcamOptions {
  /** Which camera of a phone: `'user'` on the side of the screen, `'environment'` on the back. Default 'user'. */
  readonly facing?: Facing;
  /** Side of the square pictures, or `[height, width]`, in pixels: whole numbers from 16 to 4096. Default 256. */
  readonly size?: number | readonly [height: number, width: number];
  /** Whether left and right are exchanged, as in a mirror. Default: true for the side of the screen. */
  readonly mirror?: boolean;
  /** Stops the start, while the user is still asked, with the error `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Is called once when the camera is disconnected or its permission withdrawn. The camera is stopped then. */
  readonly onLost?: (error: TransferKitError) => void;
}

/** A running camera. */
export interface Webcam extends Disposable {
  /**
   * Shows the camera, once it is in the page, as pictures will be: cut and mirrored by its style. For a network take
   * `frame()`: the pixels of the element itself are neither.
   */
  readonly video: HTMLVideoElement;
  /** Height and width of pictures. */
  readonly size: readonly [height: number, width: number];
  /**
   * Draws the current frame as pictures have it, for `predict`. It is the same canvas each time: it changes with the next
   * call of any function of this camera.
   *
   * @throws TransferKitError `CAMERA_UNAVAILABLE` when the camera was stopped or lost.
   */
  frame(): HTMLCanvasElement;
  /**
   * Takes one picture.
   *
   * @returns A JPEG, of about 10 to 20 kB at the default size.
   * @throws TransferKitError `CAMERA_UNAVAILABLE` when the camera was stopped or lost.
   */
  capture(): Promise<File>;
  /**
   * Takes pictures until its signal stops it, as while a button is held: the first one at once. Their folder is the
   * label, as `imageFiles` expects it.
   *
   * @param label - Without `/`.
   * @param options - See {@link CaptureOptions}.
   * @returns The pictures. A camera that is lost rejects; pictures up to then went to `onPicture`.
   * @throws TransferKitError `CAMERA_UNAVAILABLE`, `INVALID_OPTION`.
   */
  capture(label: string, options?: CaptureOptions): Promise<File[]>;
  /** Turns the camera off and takes its stream from the video element. A capture that runs ends with its pictures. */
  stop(): void;
}

/**
 * Starts a camera. The browser asks the user for permission.
 *
 * @param options - See {@link WebcamOptions}.
 * @throws TransferKitError `CAMERA_UNAVAILABLE` with the reason in `details.problem` and what to do: refused, missing,
 * busy, or a page without https; `ABORTED`, `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import { imageFiles, webcam } from 'transferkit/browser';
 * const camera = await webcam({ size: 224 });
 * document.body.append(camera.video);
 * const button = document.createElement('button');
 * button.onpointerdown = async () => {
 *   const held = new AbortController();
 *   button.onpointerup = button.onpointerleave = () => held.abort();
 *   const pictures = await camera.capture('cup', { signal: held.signal });
 *   console.log(imageFiles(pictures).classCounts); // { cup: 12 }
 * };
 * ```
 */
export async function webcam(options: WebcamOptions = {}): Promise<Webcam> {
  return nameErrors('webcam', async () => {
    const { facing, signal, onLost, ...form } = settle(options);
    const stream = await openStream({ facing, signal, height: form.height, width: form.width });
    try {
      const video = await showStream(stream, signal);
      styleAsPicture(video, form);
      return run({ stream, video, form, onLost });
    } catch (error) {
      endStream(stream);
      throw error;
    }
  });
}

interface Settled extends PictureForm {
  readonly facing: Facing;
  readonly signal: AbortSignal | undefined;
  readonly onLost: WebcamOptions['onLost'];
}

function settle(options: WebcamOptions): Settled {
  assertOptions(options, { facing: true, size: true, mirror: true, signal: true, onLost: true });
  const { facing = 'user', size = 256, mirror = facing === 'user', signal, onLost } = options;
  assertOneOf('facing', facing, ['user', 'environment']);
  if (typeof mirror !== 'boolean') throw invalidOption('mirror to be true or false', mirror);
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  for (const side of [height, width]) {
    assertWhole('size', side, 16);
    if (side > 4096) throw invalidOption('size to be at most 4096', side);
  }
  return { facing, height, width, mirror, signal, onLost };
}

interface Parts {
  readonly stream: MediaStream;
  readonly video: HTMLVideoElement;
  readonly form: PictureForm;
  readonly onLost: WebcamOptions['onLost'];
}

function run({ stream, video, form, onLost }: Parts): Webcam {
  const draw = makeCamera(video, form);
  /** Why there are no more pictures. */
  let over: TransferKitError | undefined;
  const ended = new AbortController();
  const end = (error: TransferKitError): void => {
    if (over !== undefined) return;
    over = error;
    endStream(stream);
    video.srcObject = null;
    ended.abort();
  };
  for (const track of stream.getTracks()) {
    // Not called for a track that the page itself stops.
    track.addEventListener('ended', () => {
      end(cameraError('lost'));
      if (over !== undefined) onLost?.(over);
    });
  }
  const frame = (): HTMLCanvasElement => {
    if (over !== undefined) throw over;
    return draw();
  };
  const isStopped = (): boolean => over?.details.problem === 'stopped';
  const began = Date.now();
  let taken = 0;
  const take = (): Promise<File> => toFile(frame(), `camera-${String(began)}-${String(++taken).padStart(4, '0')}`);

  function capture(): Promise<File>;
  function capture(label: string, options?: CaptureOptions): Promise<File[]>;
  async function capture(label?: string, options: CaptureOptions = {}): Promise<File | File[]> {
    return nameErrors('webcam.capture', async () => {
      if (label === undefined) return take();
      return holdCapture({ take, ended: ended.signal, isStopped }, label, settleCapture(options));
    });
  }
  const stop = (): void => {
    end(cameraError('stopped'));
  };
  return {
    video,
    size: [form.height, form.width],
    frame: () => nameErrors('webcam.frame', frame),
    capture,
    stop,
    [Symbol.dispose]: stop,
  };
}
