// Starts, stops and continues the training, and shows how far it is.
import { button, make, setText } from '../dom.ts';
import { wasLost } from '../kit.ts';
import { explain, notify } from '../notices.ts';
import { chooseTraining, keepRun } from '../project.ts';
import { change, current, descriptionOf, watch, type Depth, type State, type Work } from '../state.ts';
import { texts } from '../texts.ts';
import { canGoOn, canTrain, stop, train } from '../training.ts';
import { isTransferKitError } from 'transferkit';
import { curvesView } from './curves.ts';
import { section } from './section.ts';

const depths: readonly Depth[] = ['end', 'head'];

/** Trains and tells what went wrong, if anything. */
export function beginTraining(resume: boolean): void {
  if (current().work !== undefined) return;
  train(resume).catch((error: unknown) => {
    const isLost = wasLost(error);
    const { run } = current();
    if (run?.state === 'running') keepRun({ ...run, state: 'stopped' });
    if (isTransferKitError(error, 'ABORTED')) return;
    if (isTransferKitError(error, 'PREPROCESSOR_UNKNOWN')) change({ asksPreprocess: true });
    const goOn = {
      action: texts.training.goOn,
      run: () => {
        beginTraining(true);
      },
    };
    notify(explain(error), { isProblem: true, ...(isLost && canGoOn(current()) ? goOn : {}) });
  });
}

/** Makes the section. */
export function trainingView(): HTMLElement {
  return section(
    texts.training.heading,
    undefined,
    make('div', { className: 'row fields' }, depthField(), epochsField()),
    make('div', { className: 'row' }, ...buttons()),
    progressView(),
    statusView(),
    curvesView(),
  );
}

function depthField(): HTMLElement {
  const select = make(
    'select',
    { id: 'depth' },
    ...depths.map((value) => make('option', { value }, texts.training.depths[value])),
  );
  select.addEventListener('change', () => {
    chooseTraining({ depth: select.value === 'head' ? 'head' : 'end' });
  });
  watch(({ depth, work }) => {
    select.value = depth;
    select.disabled = work !== undefined;
  });
  return make('div', { className: 'field grow' }, make('label', { htmlFor: 'depth' }, texts.training.depth), select);
}

function epochsField(): HTMLElement {
  const input = make('input', { id: 'epochs', type: 'number', min: '1', max: '100', step: '1' });
  input.addEventListener('change', () => {
    const epochs = Math.min(100, Math.max(1, Math.round(Number(input.value)) || 1));
    input.value = String(epochs);
    chooseTraining({ epochs });
  });
  const field = make('div', { className: 'field' }, make('label', { htmlFor: 'epochs' }, texts.training.epochs), input);
  watch(({ epochs, depth, work }) => {
    if (document.activeElement !== input) input.value = String(epochs);
    input.disabled = work !== undefined;
    field.hidden = depth === 'head';
  });
  return field;
}

function buttons(): HTMLElement[] {
  const begin = button('', () => {
    beginTraining(false);
  });
  const goOn = button(
    texts.training.goOn,
    () => {
      beginTraining(true);
    },
    { className: 'button primary' },
  );
  const end = button(texts.training.stop, stop);
  const needs = make('p', { className: 'hint', id: 'needs' });
  const all = [goOn, begin, end];
  begin.setAttribute('aria-describedby', 'needs');
  watch((state) => {
    const { work, run } = state;
    const missing = missingFor(state);
    const hadFocus = all.some((each) => each === document.activeElement);
    begin.disabled = missing !== '';
    begin.hidden = goOn.hidden = work !== undefined;
    goOn.hidden ||= !canGoOn(state) || missing !== '';
    begin.classList.toggle('primary', goOn.hidden);
    setText(begin, run === undefined ? texts.training.start : texts.training.again);
    end.hidden = work === undefined;
    end.disabled = work?.stopping === true || work?.step === 'evaluate';
    setText(needs, work === undefined ? missing : '');
    // A button that goes takes the focus with it.
    if (hadFocus && all.some((each) => each.hidden && each === document.activeElement)) {
      all.find((each) => !each.hidden && !each.disabled)?.focus();
    }
  });
  return [...all, needs];
}

function missingFor(state: State): string {
  const { path, opened } = state.base;
  if (path === undefined && opened === undefined) return texts.training.needsBase;
  return canTrain(state) ? '' : texts.training.needs;
}

function progressView(): HTMLElement {
  const bar = make('progress', { max: 1, ariaLabel: texts.training.progress });
  const text = make('p', { className: 'step' });
  const view = make('div', { className: 'progress' }, bar, text);
  watch(({ work }) => {
    view.hidden = work === undefined;
    if (work === undefined) return;
    bar.value = work.share;
    setText(text, describe(work));
  });
  return view;
}

function describe({ step, secondsLeft, stopping }: Work): string {
  if (stopping) return texts.training.stopping;
  const left = secondsLeft === undefined ? '' : `, ${texts.training.secondsLeft(secondsLeft)}`;
  return `${texts.training.steps[step]}${left}`;
}

function statusView(): HTMLElement {
  const view = make('p', { className: 'hint', attributes: { role: 'status' } });
  watch((state) => {
    setText(view, statusOf(state));
  });
  return view;
}

function statusOf(state: State): string {
  const { run, work } = state;
  if (run === undefined || work !== undefined) return '';
  if (run.of !== descriptionOf(state)) return texts.training.changed;
  const last = run.points.at(-1)?.epoch ?? 0;
  return run.state === 'done' ? texts.training.done(last) : texts.training.stopped(last, run.epochs);
}
