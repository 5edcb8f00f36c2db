// A button that opens files. The input itself is hidden: its text is that of the browser, in any language.
import { button, make, type Properties } from '../dom.ts';

/** Makes the button. */
export function fileButton(
  text: string,
  input: Properties<'input'>,
  take: (files: readonly File[]) => void,
  properties: Properties<'button'> = {},
): HTMLElement {
  const chooser = make('input', { type: 'file', hidden: true, tabIndex: -1, ...input });
  chooser.addEventListener('change', () => {
    const files = Array.from(chooser.files ?? []);
    chooser.value = ''; // the same file may be chosen again
    if (files.length > 0) take(files);
  });
  const opener = button(
    text,
    () => {
      chooser.click();
    },
    properties,
  );
  return make('span', { className: 'file' }, opener, chooser);
}
