// The trained model at work: on the camera, or on a picture.
import { droppedFiles } from 'transferkit/browser';
import { startCamera, stopCamera } from '../camera.ts';
import { button, make, setText, showList } from '../dom.ts';
import { notify, notifyError } from '../notices.ts';
import { addressOf, isRefused, shrink } from '../pictures.ts';
import { watch } from '../state.ts';
import { texts } from '../texts.ts';
import { recognise, type Answer } from '../trainedModel.ts';
import { fileButton } from './fileButton.ts';
import { section } from './section.ts';

/** Makes the section; hidden until there is a model. */
export function liveView(): HTMLElement {
  const view = make('div', { className: 'viewfinder' });
  const answers = answersView();
  let watching: AbortController | undefined;
  const end = (): void => {
    watching?.abort();
    watching = undefined;
    setText(cameraButton, texts.live.camera);
    if (view.querySelector('video') !== null) view.replaceChildren(hint());
  };
  const begin = async (): Promise<void> => {
    watching = new AbortController();
    const { signal } = watching;
    const isOver = (): boolean => signal.aborted;
    setText(cameraButton, texts.live.stop);
    const camera = await startCamera('user', end);
    if (isOver()) {
      camera.stop();
      return;
    }
    view.replaceChildren(camera.video);
    while (!isOver()) {
      // One frame at a time, always the newest.
      const found = await recognise(camera.frame());
      answers.show(found, false);
      await new Promise(requestAnimationFrame);
    }
  };
  const cameraButton = button(texts.live.camera, () => {
    if (watching !== undefined) {
      end();
      stopCamera();
      return;
    }
    begin().catch((error: unknown) => {
      if (watching === undefined) return; // it was stopped in the middle of a frame
      end();
      stopCamera();
      notifyError(error);
    });
  });
  const look = async ([file]: readonly File[]): Promise<void> => {
    if (file === undefined) return;
    const small = await shrink(file);
    if (isRefused(small)) {
      notify(texts.files.refused([small], 1), { isProblem: true });
      return;
    }
    if (watching !== undefined) {
      end();
      stopCamera();
    }
    view.replaceChildren(make('img', { src: addressOf(small), alt: texts.live.alt }));
    answers.show(await recognise(small), true);
  };
  view.append(hint());
  const panel = make('div', { className: 'live' }, view, answers.element);
  acceptDrop(panel, (files) => look(files).catch(notifyError));
  const choose = fileButton(texts.live.file, { accept: 'image/*' }, (files) => {
    look(files).catch(notifyError);
  });
  const whole = section(texts.live.heading, undefined, make('div', { className: 'row' }, cameraButton, choose), panel);
  watch(({ modelLabels, work }) => {
    whole.hidden = modelLabels === undefined || work !== undefined;
    if (whole.hidden && watching !== undefined) {
      end();
      stopCamera();
    }
  });
  return whole;
}

function hint(): HTMLElement {
  return make('p', { className: 'hint' }, texts.live.drop);
}

interface AnswersView {
  readonly element: HTMLElement;
  /** @param isSpoken - Whether screen readers hear the first answer; of a camera they would hear nothing else. */
  show(answers: readonly Answer[], isSpoken: boolean): void;
}

/** Bars in the order of the labels, so that they do not jump. */
function answersView(): AnswersView {
  const list = make('ul', { className: 'answers', ariaLabel: texts.live.answers });
  const spoken = make('p', { className: 'unseen', attributes: { role: 'status' } });
  return {
    element: make('div', {}, list, spoken),
    show(answers, isSpoken) {
      const [best] = answers;
      const ordered = [...answers].sort((a, b) => (a.label < b.label ? -1 : 1));
      showList(
        list,
        ordered,
        ({ label }) => label,
        ({ label }) => answerBar(label),
      );
      for (const [i, { label, probability }] of ordered.entries()) {
        const item = list.children[i];
        item?.classList.toggle('best', label === best?.label);
        const [bar, share] = [item?.querySelector('meter'), item?.querySelector('.share')];
        if (bar) bar.value = probability;
        if (share) setText(share, texts.live.percent(probability));
      }
      if (isSpoken && best !== undefined) setText(spoken, texts.live.answer(best.label, best.probability));
    },
  };
}

function answerBar(label: string): HTMLElement {
  return make(
    'li',
    {},
    make('span', { className: 'label' }, label),
    make('meter', { min: 0, max: 1, ariaLabel: label }),
    make('span', { className: 'share' }),
  );
}

function acceptDrop(panel: HTMLElement, take: (files: readonly File[]) => Promise<void>): void {
  const mark = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    panel.classList.toggle('over', isOver);
  };
  panel.addEventListener('dragover', mark(true));
  panel.addEventListener('dragleave', mark(false));
  panel.addEventListener('drop', (event) => {
    mark(false)(event);
    droppedFiles(event.dataTransfer).then(take).catch(notifyError);
  });
}
