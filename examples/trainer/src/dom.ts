// Elements in one expression, and lists of them that keep their elements when the list changes.

/** Properties of an element, and attributes that have none. */
export type Properties<Tag extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Tag], 'style' | 'children' | 'attributes'>
> & { readonly attributes?: Readonly<Record<string, string>> };

/** What an element contains; what is `undefined` is left out. */
export type Child = Node | string | undefined;

/** Makes an element. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties<Tag> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  const { attributes = {}, ...own } = properties;
  Object.assign(element, own);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A button. */
export function button(
  text: string,
  onclick: (event: MouseEvent) => void,
  properties: Properties<'button'> = {},
): HTMLButtonElement {
  return make('button', { type: 'button', className: 'button', onclick, ...properties }, text);
}

const shownIn = new WeakMap<Element, Map<unknown, HTMLElement>>();

/**
 * Shows one element for each item: those of earlier items stay the same, so that focus and loaded pictures do. The parent
 * has no other children.
 */
export function showList<Item>(
  parent: Element,
  items: readonly Item[],
  keyOf: (item: Item) => unknown,
  makeOne: (item: Item) => HTMLElement,
): void {
  const before = shownIn.get(parent) ?? new Map<unknown, HTMLElement>();
  const now = new Map(items.map((item) => [keyOf(item), before.get(keyOf(item)) ?? makeOne(item)]));
  for (const [key, element] of before) if (!now.has(key)) element.remove();
  let place = parent.firstElementChild;
  for (const element of now.values()) {
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  shownIn.set(parent, now);
}

/** Changes a text only if it differs: screen readers read a live text again whenever it is set. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
