// The model as a file, what its base sees as a file, and the programs that use them.
import { button, make, setText } from '../dom.ts';
import { downloadFeatures, downloadModel } from '../downloads.ts';
import { notify, notifyError } from '../notices.ts';
import { watch } from '../state.ts';
import { texts } from '../texts.ts';
import { section } from './section.ts';

/** Makes the section; hidden until there is a model. */
export function takeAwayView(): HTMLElement {
  const name = make('input', { id: 'model-name', value: texts.takeAway.usual, autocomplete: 'off', spellcheck: false });
  const file = (): string => name.value.trim().replaceAll(/[^\p{L}\p{N}._-]+/gu, '-') || texts.takeAway.usual;
  const node = make('code');
  const page = make('code');
  const write = (): void => {
    setText(node, nodeProgram(file()));
    setText(page, pageProgram(file()));
  };
  name.addEventListener('input', write);
  write();
  const model = working(texts.takeAway.model, 'button primary', () => downloadModel(file()));
  const features = working(texts.takeAway.features, 'button', () => downloadFeatures(file()));
  const view = section(
    texts.takeAway.heading,
    undefined,
    make(
      'div',
      { className: 'row' },
      make('div', { className: 'field' }, make('label', { htmlFor: 'model-name' }, texts.takeAway.name), name),
      model,
      features,
    ),
    make('p', { className: 'hint' }, texts.takeAway.featuresHint),
    make('div', { className: 'programs' }, program(texts.takeAway.inNode, node), program(texts.takeAway.inPage, page)),
  );
  watch(({ modelLabels, work }) => {
    view.hidden = modelLabels === undefined || work !== undefined;
  });
  return view;
}

/** A button that is disabled while its work runs. */
function working(text: string, className: string, work: () => Promise<void>): HTMLButtonElement {
  const element = button(
    text,
    () => {
      element.disabled = true;
      setText(element, texts.takeAway.working);
      work()
        .catch(notifyError)
        .finally(() => {
          element.disabled = false;
          setText(element, text);
        });
    },
    { className },
  );
  return element;
}

function program(place: string, code: HTMLElement): HTMLElement {
  const copy = button(
    texts.takeAway.copy,
    () => {
      navigator.clipboard.writeText(code.textContent).then(() => {
        notify(texts.takeAway.copied);
      }, notifyError);
    },
    { className: 'button plain' },
  );
  const text = make('pre', { tabIndex: 0, role: 'region', ariaLabel: texts.takeAway.codeOf(place) }, code);
  return make('div', {}, make('div', { className: 'row head' }, make('h3', {}, place), copy), text);
}

const packages = `// npm install transferkit @tensorflow/tfjs-core @tensorflow/tfjs-layers
//   @tensorflow/tfjs-converter @tensorflow/tfjs-backend-wasm`;

function nodeProgram(name: string): string {
  return `${packages} sharp
import { load, predict } from 'transferkit';

const model = await load('${name}.zip');
const [best] = await predict(model, 'photo.jpg');
console.log(best.label, best.probability);
model.dispose();
`;
}

function pageProgram(name: string): string {
  return `${packages}
import { load, predict } from 'transferkit';

const model = await load('${name}.zip');
document.querySelector('input').onchange = async ({ target }) => {
  const [best] = await predict(model, target.files[0]);
  document.querySelector('output').textContent = best.label;
};
`;
}
