// The labels with their pictures.
import { button, make, setText, showList } from '../dom.ts';
import { notifyError } from '../notices.ts';
import { addEmptyLabel, addFolders } from '../project.ts';
import { watch } from '../state.ts';
import { texts } from '../texts.ts';
import { fileButton } from './fileButton.ts';
import { labelCard } from './labelCard.ts';
import { section } from './section.ts';

/** Makes the section. */
export function labelsView(): HTMLElement {
  const cards = make('ul', { className: 'cards' });
  const reading = make('p', { className: 'reading', attributes: { role: 'status' } });
  watch(({ labels, reading: read }) => {
    showList(
      cards,
      labels,
      ({ id }) => id,
      ({ id }) => labelCard(id),
    );
    setText(reading, read === undefined ? '' : texts.pictures.reading(read.done, read.total));
  });
  return section(
    texts.labels.heading,
    texts.labels.hint,
    cards,
    make(
      'div',
      { className: 'row' },
      button(texts.labels.add, () => {
        const { id } = addEmptyLabel();
        // After the card was drawn.
        setTimeout(() => {
          cards.querySelector<HTMLInputElement>(`#label-${String(id)}`)?.select();
        });
      }),
      fileButton(texts.labels.folder, { webkitdirectory: true, ariaLabel: texts.labels.folder }, (files) => {
        addFolders(files).catch(notifyError);
      }),
      reading,
    ),
  );
}
