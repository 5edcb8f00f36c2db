// What is said to somebody who comes back: the pictures are there, and an interrupted training goes on.
import { button, make, setText } from '../dom.ts';
import { startAnew } from '../project.ts';
import { change, watch } from '../state.ts';
import { texts } from '../texts.ts';
import { canGoOn } from '../training.ts';
import { forgetModel } from '../trainedModel.ts';
import { beginTraining } from './training.ts';

/** Makes the message; it is hidden where there was no earlier visit. */
export function returnedView(): HTMLElement {
  const text = make('p');
  const goOn = button(texts.goOnTraining, () => {
    change({ returned: false });
    beginTraining(true);
  });
  const keep = button(texts.keepWorking, () => {
    change({ returned: false });
  });
  const anew = button(
    texts.startAnew,
    () => {
      if (!window.confirm(texts.startAnewSure)) return;
      forgetModel();
      void startAnew();
    },
    { className: 'button plain' },
  );
  const view = make('div', { className: 'returned' }, text, make('div', { className: 'row' }, goOn, keep, anew));
  watch((state) => {
    const { returned, labels, pictures, run } = state;
    view.hidden = !returned;
    const isInterrupted = canGoOn(state) && run !== undefined;
    goOn.hidden = !isInterrupted;
    goOn.classList.toggle('primary', isInterrupted);
    keep.hidden = isInterrupted;
    const rounds = run?.points.at(-1)?.epoch ?? 0;
    const interrupted = isInterrupted ? ` ${texts.interrupted(rounds, run.epochs)}` : '';
    setText(text, returned ? `${texts.returned(labels.length, pictures.length)}${interrupted}` : '');
  });
  return view;
}
