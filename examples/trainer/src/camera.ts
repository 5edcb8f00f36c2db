// The camera: one for the whole page, for the part that asked for it last.
import { webcam, type Facing, type Webcam } from 'transferkit/browser';
import { notifyError } from './notices.ts';

let running: { readonly camera: Webcam; readonly end: () => void } | undefined;

/**
 * Starts the camera, and takes it from the part of the page that has it.
 *
 * @param end - Is called when another part takes it, or it is lost.
 */
export async function startCamera(facing: Facing, end: () => void): Promise<Webcam> {
  running?.end();
  stopCamera();
  const camera = await webcam({
    facing,
    onLost: (error) => {
      running = undefined;
      notifyError(error);
      end();
    },
  });
  running = { camera, end };
  return camera;
}

/** Turns the camera off. */
export function stopCamera(): void {
  running?.camera.stop();
  running = undefined;
}
