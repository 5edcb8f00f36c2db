// The camera of a label: pictures are taken while a button is held, by pointer or key.
import type { Webcam } from 'transferkit/browser';
import { startCamera, stopCamera } from '../camera.ts';
import { button, make, setText } from '../dom.ts';
import { notifyError } from '../notices.ts';
import { addPicture } from '../project.ts';
import { texts } from '../texts.ts';

/** Makes the panel and starts the camera. `close` removes the panel. */
export function capturePanel(label: number, close: () => void): HTMLElement {
  const status = make('p', { className: 'hint', attributes: { role: 'status' } }, texts.labels.starting);
  const view = make('div', { className: 'viewfinder' }, status);
  const hold = button(texts.labels.hold, () => undefined, { className: 'button primary hold', disabled: true });
  const shut = (): void => {
    stopCamera();
    close();
  };
  let facing: 'user' | 'environment' = 'user';
  const start = async (): Promise<void> => {
    const camera = await startCamera(facing, close);
    if (!view.isConnected) {
      camera.stop();
      return;
    }
    view.replaceChildren(camera.video);
    hold.disabled = false;
    captureWhileHeld(hold, camera, label);
    hold.focus();
  };
  const begin = (): void => {
    start().catch((error: unknown) => {
      notifyError(error);
      close();
    });
  };
  const flip = button(
    texts.labels.flip,
    () => {
      facing = facing === 'user' ? 'environment' : 'user';
      begin();
    },
    { className: 'button plain' },
  );
  // Only what a finger points at has a camera on its back.
  flip.hidden = !matchMedia('(pointer: coarse)').matches;
  setTimeout(begin);
  return make(
    'div',
    { className: 'capture' },
    view,
    make(
      'div',
      { className: 'row' },
      hold,
      flip,
      button(texts.labels.closeCamera, shut, { className: 'button plain' }),
    ),
  );
}

function captureWhileHeld(hold: HTMLButtonElement, camera: Webcam, label: number): void {
  let held: AbortController | undefined;
  const release = (): void => {
    held?.abort();
    held = undefined;
    setText(hold, texts.labels.hold);
  };
  const press = (): void => {
    if (held !== undefined) return;
    held = new AbortController();
    setText(hold, texts.labels.holding);
    const { signal } = held;
    const onPicture = (picture: File): void => {
      addPicture(label, picture);
    };
    camera.capture('camera', { signal, onPicture }).catch(notifyError).finally(release);
  };
  hold.onpointerdown = (event) => {
    hold.setPointerCapture(event.pointerId);
    press();
  };
  hold.onpointerup = hold.onpointercancel = hold.onblur = release;
  hold.onkeydown = (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    press();
  };
  hold.onkeyup = (event) => {
    event.preventDefault(); // some browsers click on the way up
    release();
  };
  // A long press opens a menu on phones.
  hold.oncontextmenu = (event) => {
    event.preventDefault();
  };
  // Screen readers click without pressing: one picture.
  hold.onclick = (event) => {
    if (event.detail === 0 && held === undefined) {
      press();
      setTimeout(release);
    }
  };
}
