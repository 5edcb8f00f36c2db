// The pictures of a label, the newest first. Each is removed by a click, which can be undone.
import { button, make, setText, showList } from '../dom.ts';
import { addressOf, releaseAddress } from '../pictures.ts';
import { removePicture } from '../project.ts';
import { current, watch, type Picture } from '../state.ts';
import { texts } from '../texts.ts';

/** Pictures that are shown at first. */
const few = 16;

/** Makes the list of a label. */
export function pictureList(label: number): HTMLElement {
  let showsAll = false;
  const list = make('ul', { className: 'pictures' });
  const more = button('', () => {
    showsAll = !showsAll;
    draw();
  });
  more.classList.add('plain');
  const view = make('div', {}, list, more);
  let drawn: readonly Picture[] = [];
  const draw = (): void => {
    const { pictures, labels } = current();
    const own = pictures.filter((picture) => picture.label === label).reverse();
    const shown = showsAll ? own : own.slice(0, few);
    const name = labels.find(({ id }) => id === label)?.name ?? '';
    list.ariaLabel = texts.pictures.listOf(name);
    view.hidden = own.length === 0;
    if (shown.length !== drawn.length || shown.some((picture, i) => picture !== drawn[i])) {
      showList(
        list,
        shown,
        ({ id }) => id,
        (picture) => thumbnail(list, picture),
      );
      for (const { blob } of drawn.filter((picture) => !shown.includes(picture))) releaseAddress(blob);
    }
    drawn = shown;
    for (const [i, each] of Array.from(list.querySelectorAll('button')).entries()) {
      each.ariaLabel = texts.pictures.remove(own.length - i, name);
    }
    more.hidden = own.length <= few;
    setText(more, showsAll ? texts.pictures.showFew : texts.pictures.showAll(own.length));
  };
  watch(draw);
  return view;
}

function thumbnail(list: HTMLElement, { id, blob }: Picture): HTMLElement {
  const remove = button(
    '',
    () => {
      const place = Array.from(list.children).indexOf(item);
      removePicture(id);
      // When the list was drawn again, the next picture has the focus.
      queueMicrotask(() => {
        const next = list.children[Math.min(place, list.children.length - 1)];
        next?.querySelector('button')?.focus();
      });
    },
    { className: 'thumbnail' },
  );
  remove.replaceChildren(make('img', { src: addressOf(blob), alt: '', decoding: 'async', width: 56, height: 56 }));
  const item = make('li', {}, remove);
  return item;
}
