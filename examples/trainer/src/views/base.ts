// The choice of the base: a network of the list, or one that the user opens.
import { isModel, isScaling, scalings } from '../bases.ts';
import { make, showList, setText } from '../dom.ts';
import { notify } from '../notices.ts';
import { chooseBase } from '../project.ts';
import { current, watch, type State } from '../state.ts';
import { texts } from '../texts.ts';
import { fileButton } from './fileButton.ts';
import { section } from './section.ts';

/** The value of the list for an opened model. */
const opened = 'opened';

/** Makes the section. */
export function baseView(): HTMLElement {
  const network = make('select', { id: 'network' });
  network.addEventListener('change', () => {
    if (network.value !== opened) chooseBase({ path: network.value });
  });
  const scaling = make(
    'select',
    { id: 'scaling' },
    make('option', { value: '' }, texts.base.scalingOfModel),
    ...scalings.map((value) => make('option', { value }, texts.base.scalingNames[value])),
  );
  scaling.addEventListener('change', () => {
    const { preprocess: _, ...base } = current().base;
    chooseBase(isScaling(scaling.value) ? { ...base, preprocess: scaling.value } : base);
  });
  const scalingField = make(
    'div',
    { className: 'field' },
    make('label', { htmlFor: 'scaling' }, texts.base.scaling),
    scaling,
  );
  const none = make('p', { className: 'hint' });
  watch(({ bases, base, asksPreprocess }) => {
    showList(
      network,
      optionsOf({ bases, base }),
      ({ value, text }) => `${value} ${text}`,
      ({ value, text }) => make('option', { value }, text),
    );
    network.value = base.opened === undefined ? (base.path ?? '') : opened;
    network.disabled = network.options.length === 0;
    setText(none, bases.length === 0 && base.opened === undefined ? texts.base.none : '');
    // A network of the list says how it wants pixels.
    scalingField.hidden = base.opened === undefined && !asksPreprocess;
    scaling.value = base.preprocess ?? '';
  });
  return section(
    texts.base.heading,
    texts.base.hint,
    make(
      'div',
      { className: 'row' },
      make('div', { className: 'field grow' }, make('label', { htmlFor: 'network' }, texts.base.choose), network),
      fileButton(texts.base.open, { multiple: true, accept: '.json,.bin,.zip', ariaLabel: texts.base.open }, open, {
        title: texts.base.openHint,
      }),
      scalingField,
    ),
    none,
  );
}

function optionsOf({ bases, base }: Pick<State, 'bases' | 'base'>): { value: string; text: string }[] {
  return [
    ...bases.map(({ path, name }) => ({ value: path, text: name })),
    ...(base.opened === undefined ? [] : [{ value: opened, text: texts.base.opened(base.opened.name) }]),
  ];
}

function open(files: readonly File[]): void {
  if (!isModel(files)) {
    notify(texts.base.notModel, { isProblem: true });
    return;
  }
  const named = files.length === 1 ? files[0] : files.find(({ name }) => name.endsWith('.json'));
  chooseBase({ opened: { name: named?.name ?? '', files } });
}
