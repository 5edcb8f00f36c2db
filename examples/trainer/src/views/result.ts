// How good the model is: accuracy, what it takes for what, and its worst mistakes as pictures.
import { make, setText } from '../dom.ts';
import { addressOf } from '../pictures.ts';
import { current, watch, type Mistake, type Result } from '../state.ts';
import { texts } from '../texts.ts';
import { section } from './section.ts';

/** Makes the section; hidden until there is a result. */
export function resultView(): HTMLElement {
  const accuracy = make('p', { className: 'accuracy', attributes: { role: 'status' } });
  const body = make('div', { className: 'result' });
  const view = section(
    texts.result.heading,
    undefined,
    accuracy,
    make('p', { className: 'hint' }, texts.result.caution),
    body,
  );
  let drawn: Result | undefined;
  watch(({ result }) => {
    view.hidden = result === undefined;
    if (result === drawn) return;
    drawn = result;
    setText(accuracy, result === undefined ? '' : texts.result.accuracy(result.accuracy, result.examples));
    if (result !== undefined) body.replaceChildren(confusionView(result), mistakesView(result.mistakes));
  });
  return view;
}

function confusionView({ labels, confusion }: Result): HTMLElement {
  const rows = confusion.map((counts, actual) => {
    const total = counts.reduce((sum, each) => sum + each, 0);
    const name = labels[actual] ?? '';
    const cells = counts.map((count, predicted) => {
      const cell = make(
        'td',
        { className: predicted === actual ? 'right' : 'wrong' },
        count === 0 ? '·' : String(count),
      );
      if (count === 0) cell.ariaLabel = '0';
      cell.title = texts.result.cell(count, name, labels[predicted] ?? '');
      cell.style.setProperty('--share', `${String(total === 0 ? 0 : Math.round((count / total) * 100))}%`);
      return cell;
    });
    return make('tr', {}, make('th', { scope: 'row' }, name), ...cells);
  });
  const head = make(
    'tr',
    {},
    make('td', { className: 'corner' }, `${texts.result.actual} ↓ ${texts.result.predicted} →`),
    ...labels.map((label) => make('th', { scope: 'col' }, label)),
  );
  const table = make(
    'table',
    {},
    make('caption', {}, texts.result.confusion),
    make('thead', {}, head),
    make('tbody', {}, ...rows),
  );
  // Wide tables scroll, by keyboard too.
  return make('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: texts.result.confusion }, table);
}

function mistakesView(mistakes: readonly Mistake[]): HTMLElement {
  const { pictures } = current();
  const shown = mistakes.flatMap(({ picture, actual, predicted, probability }) => {
    const blob = pictures.find(({ id }) => id === picture)?.blob;
    if (blob === undefined) return [];
    const text = texts.result.mistake(actual, predicted, probability);
    // An address of its own: the list of pictures frees the others.
    const image = make('img', { src: addressOf(blob.slice(0, blob.size, blob.type)), alt: '', width: 96, height: 96 });
    return [make('li', {}, make('figure', {}, image, make('figcaption', {}, text)))];
  });
  return make(
    'div',
    {},
    make('h3', {}, texts.result.worst),
    shown.length === 0
      ? make('p', { className: 'hint' }, texts.result.noMistakes)
      : make('ul', { className: 'mistakes' }, ...shown),
  );
}
