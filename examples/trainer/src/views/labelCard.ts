// One label: its name, its pictures, and the ways to add some.
import { droppedFiles } from 'transferkit/browser';
import { stopCamera } from '../camera.ts';
import { button, make, setText } from '../dom.ts';
import { notifyError } from '../notices.ts';
import { addFiles, removeLabel, renameLabel } from '../project.ts';
import { current, watch, type Label } from '../state.ts';
import { texts } from '../texts.ts';
import { capturePanel } from './capturePanel.ts';
import { fileButton } from './fileButton.ts';
import { pictureList } from './pictureList.ts';

/** Number of label colours; more labels begin again. */
const colours = 8;

/** Makes the card of a label. It stays in the page until the label is removed. */
export function labelCard(id: number): HTMLElement {
  const name = make('input', { id: `label-${String(id)}`, className: 'name', autocomplete: 'off', spellcheck: false });
  name.addEventListener('change', () => {
    renameLabel(id, name.value.trim());
    name.value = labelOf(id)?.name ?? '';
  });
  name.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') name.blur();
  });
  const count = make('p', { className: 'count', attributes: { role: 'status' } });
  const panel = make('div', { hidden: true });
  const closePanel = (): void => {
    panel.replaceChildren();
    panel.hidden = true;
  };
  const camera = button(texts.labels.camera, () => {
    if (!panel.hidden) return;
    panel.hidden = false;
    panel.append(capturePanel(id, closePanel));
  });
  const files = fileButton(texts.labels.files, { multiple: true, accept: 'image/*' }, (chosen) => {
    take(id, chosen);
  });
  const remove = button(
    '×',
    () => {
      if (!panel.hidden) stopCamera();
      closePanel();
      removeLabel(id);
    },
    { className: 'button plain close' },
  );
  const card = make(
    'li',
    { className: `card colour-${String(id % colours)}` },
    make('div', { className: 'row head' }, make('span', { className: 'dot' }), name, count, remove),
    make('div', { className: 'row' }, camera, files),
    panel,
    pictureList(id),
  );
  acceptDrops(card, id);
  watch(({ labels, pictures }) => {
    const label = labels.find((each) => each.id === id);
    if (label === undefined) return;
    if (document.activeElement !== name) name.value = label.name;
    name.ariaLabel = texts.labels.name;
    camera.ariaLabel = texts.labels.cameraOf(label.name);
    remove.ariaLabel = texts.labels.remove(label.name);
    files.querySelector('button')?.setAttribute('aria-label', texts.labels.filesOf(label.name));
    const own = pictures.filter((picture) => picture.label === id).length;
    setText(count, own === 0 ? texts.pictures.empty : texts.pictures.count(own));
  });
  return card;
}

function labelOf(id: number): Label | undefined {
  return current().labels.find((label) => label.id === id);
}

function take(id: number, files: readonly File[]): void {
  const label = labelOf(id);
  if (label === undefined) return;
  addFiles(files.map((file) => ({ file, label }))).catch(notifyError);
}

function acceptDrops(card: HTMLElement, id: number): void {
  const mark = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    card.classList.toggle('over', isOver);
  };
  card.addEventListener('dragover', mark(true));
  card.addEventListener('dragleave', mark(false));
  card.addEventListener('drop', (event) => {
    mark(false)(event);
    droppedFiles(event.dataTransfer)
      .then((files) => {
        take(id, files);
      })
      .catch(notifyError);
  });
}
