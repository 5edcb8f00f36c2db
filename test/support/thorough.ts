// Whether the tests run as `npm run test:thorough`: cases that take long, and whose kind has another case in `npm
// test`.
export const isThorough = process.env.TEST_THOROUGH === 'true';

/** The first, the middle and the last of a list; all of it when the tests run thoroughly. */
export function someOf<Item>(list: readonly Item[]): Item[] {
  const places = new Set([0, list.length >> 1, list.length - 1]);
  return list.filter((_, place) => isThorough || places.has(place));
}
