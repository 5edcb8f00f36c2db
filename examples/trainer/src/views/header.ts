// The top of the page: what it is, and what it runs on.
import { make, setText } from '../dom.ts';
import { watch } from '../state.ts';
import { texts } from '../texts.ts';

/** Makes the header. */
export function headerView(): HTMLElement {
  const backend = make('p', { className: 'backend' });
  watch(({ backend: name }) => {
    backend.hidden = name === undefined;
    setText(backend, name === undefined ? '' : texts.runsOn(name));
  });
  return make(
    'header',
    {},
    make('div', {}, make('h1', {}, texts.title), make('p', { className: 'lead' }, texts.lead)),
    backend,
  );
}
