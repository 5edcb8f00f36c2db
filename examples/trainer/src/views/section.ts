// A part of the page with a heading.
import { make, type Child } from '../dom.ts';

let number = 0;

/** Makes a section that is named by its heading. */
export function section(heading: string, hint: string | undefined, ...children: readonly Child[]): HTMLElement {
  const id = `section-${String(++number)}`;
  return make(
    'section',
    { attributes: { 'aria-labelledby': id } },
    make('h2', { id }, heading),
    hint === undefined ? undefined : make('p', { className: 'hint' }, hint),
    ...children,
  );
}
