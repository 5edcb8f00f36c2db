// The errors about cameras, each with what to do.
import { TransferKitError } from '../../core/errors.ts';
import type { CameraProblem } from '../../core/errorDetails.ts';

/** What is wrong, as the part of a sentence, and what to do. */
const problems: Readonly<Record<CameraProblem, readonly [what: string, advice: string]>> = {
  insecure: ['the page has no access to cameras', 'Serve it by https, or from localhost'],
  refused: [
    'its use was refused',
    'Allow the camera for this page in the settings of the browser (the icon beside the address), and in those of the system',
  ],
  missing: ['there is none', 'Connect a camera, or take pictures from files'],
  busy: ['it could not be started', 'Close other programs and tabs that use it, and try again'],
  silent: ['it sends no pictures', 'Open its cover, connect it again, or take another one'],
  lost: ['it was disconnected', 'Connect it, and start it again'],
  stopped: ['it has been stopped', 'Start it again by webcam()'],
};

/** The name of a browser's error, by the problem that it stands for. */
const names: Readonly<Record<string, CameraProblem>> = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/** Makes the error about a problem; the cause is what the browser said, if it said something. */
export function cameraError(problem: CameraProblem, cause?: unknown): TransferKitError {
  const [what, advice] = problems[problem];
  const reason = cause instanceof Error && cause.message !== '' ? ` (${cause.message.replace(/\.$/, '')})` : '';
  const text = `expected a camera that can be used, but ${what}${reason}. ${advice}.`;
  return new TransferKitError('CAMERA_UNAVAILABLE', text, { problem }, cause);
}

/** The problem that a rejection of the browser stands for. */
export function problemOf(error: unknown): CameraProblem {
  const name = error instanceof Error ? error.name : '';
  return Object.hasOwn(names, name) ? (names[name] ?? 'busy') : 'busy';
}
