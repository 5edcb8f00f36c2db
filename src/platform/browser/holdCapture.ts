// Many pictures of a camera, one after another, while a button is held.
import { assertWhole, invalidOption } from '../../core/optionChecks.ts';
import { assertOptions } from '../../core/optionNames.ts';
import { pause } from '../../core/pause.ts';

/** Options of `webcam.capture(label)`. */
export interface CaptureOptions {
  /** Stops it. That is its usual end and no error. Default: it ends after `most` pictures. */
  readonly signal?: AbortSignal;
  /** Pictures a second, above 0 and at most 60. Default 8. */
  readonly perSecond?: number;
  /** Most pictures, a whole number from 1. Default 200. */
  readonly most?: number;
  /** Is called with each picture. What it returns is waited for, and what it throws ends the capture. */
  readonly onPicture?: (picture: File) => void | Promise<void>;
}

interface Settled {
  readonly signal: AbortSignal | undefined;
  readonly perSecond: number;
  readonly most: number;
  readonly onPicture: CaptureOptions['onPicture'];
}

/**
 * Fills in defaults and checks the options.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function settleCapture(options: CaptureOptions): Settled {
  assertOptions(options, { signal: true, perSecond: true, most: true, onPicture: true });
  const { signal, perSecond = 8, most = 200, onPicture } = options;
  if (!(perSecond > 0 && perSecond <= 60)) throw invalidOption('perSecond above 0 and at most 60', perSecond);
  assertWhole('most', most, 1);
  return { signal, perSecond, most, onPicture };
}

/** The camera that takes the pictures. */
interface Source {
  /** Takes a picture; rejects when the camera was stopped or lost. */
  take(): Promise<File>;
  /** Comes when the camera was stopped or lost. */
  readonly ended: AbortSignal;
  /** Whether it was stopped, which ends a capture without an error. */
  isStopped(): boolean;
}

/**
 * Takes pictures at a pace, the first one at once, until a signal stops it. Their folder is the label.
 *
 * @throws TransferKitError `INVALID_OPTION` for a label that no folder can have; what `take` rejects with.
 */
export async function holdCapture(
  camera: Source,
  label: string,
  { signal, perSecond, most, onPicture }: Settled,
): Promise<File[]> {
  if (typeof label !== 'string' || label === '' || label.includes('/')) {
    throw invalidOption("a label without '/'", label);
  }
  const ends = [camera.ended, ...(signal === undefined ? [] : [signal])];
  const pictures: File[] = [];
  let next = performance.now();
  while (pictures.length < most && signal?.aborted !== true) {
    const file = await camera.take();
    const path = `${label}/${file.name}`;
    const picture = Object.defineProperty(file, 'webkitRelativePath', { value: path });
    pictures.push(picture);
    await onPicture?.(picture);
    // A slow machine takes fewer pictures, not all that it missed at once.
    next = Math.max(next + 1000 / perSecond, performance.now());
    await pause(next - performance.now(), ends);
    if (camera.isStopped()) break;
  }
  return pictures;
}
