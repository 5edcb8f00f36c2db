// What the user does with labels, pictures and settings. Each change is shown at once, and kept for the next visit.
import { listBases } from './bases.ts';
import { notify } from './notices.ts';
import { isRefused, releaseAddress, shrink, type Refused } from './pictures.ts';
import {
  change,
  current,
  type ChosenBase,
  type Depth,
  type Label,
  type Picture,
  type Result,
  type Run,
} from './state.ts';
import * as storage from './storage.ts';
import { texts } from './texts.ts';

/** Settings as they are kept. */
interface Settings {
  readonly base: ChosenBase;
  readonly depth: Depth;
  readonly epochs: number;
}

/** Reads what was kept at the last visit. */
export async function restore(): Promise<void> {
  const [bases, labels, pictures, settings, run, result] = await Promise.all([
    listBases(),
    storage.readAll('labels'),
    storage.readAll('pictures'),
    storage.read('settings', 'settings'),
    storage.read('settings', 'run'),
    storage.read('settings', 'result'),
  ]);
  // Written by this page alone, in the forms of these types.
  const kept = {
    labels: labels as Label[],
    pictures: pictures as Picture[],
    ...(settings as Settings | undefined),
    run: run as Run | undefined,
    result: result as Result | undefined,
  };
  const { base = {} } = kept;
  const isThere = base.opened !== undefined || bases.some(({ path }) => path === base.path);
  const [first] = bases;
  change({
    ...kept,
    bases,
    base: isThere || first === undefined ? base : { path: first.path },
    modelLabels: kept.result?.labels,
    returned: pictures.length > 0,
  });
  if (labels.length === 0) for (const name of texts.labels.first) addLabel(name);
}

/** Forgets everything, in the page and in the browser. */
export async function startAnew(): Promise<void> {
  for (const { blob } of current().pictures) releaseAddress(blob);
  await storage.removeAll();
  change({
    labels: [],
    pictures: [],
    run: undefined,
    result: undefined,
    modelLabels: undefined,
    returned: false,
  });
  for (const name of texts.labels.first) addLabel(name);
}

function nextId(taken: readonly { readonly id: number }[]): number {
  return taken.reduce((most, { id }) => Math.max(most, id), 0) + 1;
}

/** Adds a label; one of that name is used again. */
function addLabel(name: string): Label {
  const { labels } = current();
  const same = labels.find((label) => label.name === name);
  if (same !== undefined) return same;
  const label = { id: nextId(labels), name };
  change({ labels: [...labels, label] });
  void storage.write('labels', label);
  return label;
}

/** Adds a label with a name that is free. */
export function addEmptyLabel(): Label {
  const names = new Set(current().labels.map(({ name }) => name));
  for (let number = names.size + 1; ; number++) {
    const name = texts.labels.numbered(number);
    if (!names.has(name)) return addLabel(name);
  }
}

/** Gives a label another name, unless it is empty or taken. */
export function renameLabel(id: number, name: string): void {
  const { labels } = current();
  if (name === '' || labels.some((label) => label.name === name)) return;
  const renamed = { id, name };
  change({ labels: labels.map((label) => (label.id === id ? renamed : label)) });
  void storage.write('labels', renamed);
}

/** Removes a label with its pictures. */
export function removeLabel(id: number): void {
  const { labels, pictures } = current();
  const own = pictures.filter(({ label }) => label === id);
  const label = labels.find((each) => each.id === id);
  change({
    labels: labels.filter((each) => each.id !== id),
    pictures: pictures.filter((picture) => picture.label !== id),
  });
  void storage.remove('labels', id);
  for (const picture of own) void storage.remove('pictures', picture.id);
  if (label === undefined || own.length === 0) return;
  notify(texts.labels.removed(label.name, own.length), {
    action: texts.undo,
    run: () => {
      change({ labels: [...current().labels, label].sort((a, b) => a.id - b.id) });
      void storage.write('labels', label);
      for (const picture of own) keep(picture);
    },
  });
}

/** Adds a picture that is small already. */
export function addPicture(label: number, blob: Blob): void {
  keep({ id: nextId(current().pictures), label, blob });
}

function keep(picture: Picture): void {
  change({ pictures: [...current().pictures, picture].sort((a, b) => a.id - b.id) });
  void storage.write('pictures', picture);
}

/** Removes a picture. */
export function removePicture(id: number): void {
  const { pictures } = current();
  const picture = pictures.find((each) => each.id === id);
  if (picture === undefined) return;
  change({ pictures: pictures.filter((each) => each !== picture) });
  void storage.remove('pictures', id);
  notify(texts.pictures.removed, {
    action: texts.undo,
    run: () => {
      keep(picture);
    },
  });
}

/** Files at the same time: each is decoded at full size. */
const readers = 3;

/** Adds files, each with the name or number of its label. Those that cannot be read are named. */
export async function addFiles(files: readonly { readonly file: File; readonly label: Label }[]): Promise<void> {
  const refused: Refused[] = [];
  const waiting = files.values();
  let done = 0;
  const read = async (): Promise<void> => {
    for (const { file, label } of waiting) {
      const small = await shrink(file);
      if (isRefused(small)) refused.push(small);
      else addPicture(label.id, small);
      change({ reading: { done: ++done, total: files.length } });
    }
  };
  change({ reading: { done, total: files.length } });
  await Promise.all(Array.from({ length: readers }, read));
  change({ reading: undefined });
  if (refused.length > 0) notify(texts.files.refused(refused, files.length), { isProblem: true });
}

/** Adds files of folders: each folder is a label. */
export async function addFolders(files: readonly File[]): Promise<void> {
  const placed = files.flatMap((file) => {
    const folder = file.webkitRelativePath.split('/').at(-2);
    return folder === undefined ? [] : [{ file, folder }];
  });
  const pictures = placed
    .filter(({ file }) => file.type.startsWith('image/'))
    .sort((a, b) => (a.file.webkitRelativePath < b.file.webkitRelativePath ? -1 : 1));
  if (pictures.length === 0) {
    notify(files.length === 0 ? texts.files.none : texts.files.noFolder, { isProblem: true });
    return;
  }
  dropEmptyLabels();
  await addFiles(pictures.map(({ file, folder }) => ({ file, label: addLabel(folder) })));
}

/** The labels of the beginning are in the way of those that folders bring. */
function dropEmptyLabels(): void {
  const { labels, pictures } = current();
  if (pictures.length === 0) for (const { id } of labels) removeLabel(id);
}

/** Chooses the base. */
export function chooseBase(base: ChosenBase): void {
  change({ base, asksPreprocess: false });
  keepSettings();
}

/** Changes how training is done. */
export function chooseTraining(settings: Partial<Pick<Settings, 'depth' | 'epochs'>>): void {
  change(settings);
  keepSettings();
}

function keepSettings(): void {
  const { base, depth, epochs } = current();
  void storage.write('settings', { base, depth, epochs } satisfies Settings, 'settings');
}

/** Shows how far a training is, and keeps it. */
export function keepRun(run: Run | undefined): void {
  change({ run });
  void storage.write('settings', run, 'run');
}

/** Shows how good the model is, and keeps it. */
export function keepResult(result: Result | undefined): void {
  change({ result, modelLabels: result?.labels });
  void storage.write('settings', result, 'result');
}
