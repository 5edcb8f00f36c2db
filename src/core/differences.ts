// Lists the differences between two pieces of plain data.
import { isJsonObject, type Json } from './json.ts';
import { shown } from './shown.ts';

/** Most characters of a value that are shown. */
const longest = 60;

/** Most differences that a message lists. */
const most = 10;

/** Returns `batchSize (32 here, 16 there)` for each value that differs. */
export function differencesOf(here: Json | undefined, there: Json | undefined, path = ''): string[] {
  if (isJsonObject(here) && isJsonObject(there)) {
    return namesOf(here, there).flatMap((name) =>
      differencesOf(here[name], there[name], path === '' ? name : `${path}.${name}`),
    );
  }
  return isSame(here, there) ? [] : [`${path} (${shortened(here)} here, ${shortened(there)} there)`];
}

/** Joins the first ten differences, and says how many more there are. */
export function listed(differences: readonly string[]): string {
  const more = differences.length - most;
  return `${differences.slice(0, most).join('; ')}${more > 0 ? `; and ${String(more)} more` : ''}`;
}

/** Compares down to the depth of the shallower value. */
function isSame(here: Json | undefined, there: Json | undefined): boolean {
  if (Array.isArray(here) && Array.isArray(there)) {
    return here.length === there.length && here.every((value, i) => isSame(value, there[i]));
  }
  if (isJsonObject(here) && isJsonObject(there)) {
    return namesOf(here, there).every((name) => isSame(here[name], there[name]));
  }
  return Object.is(here, there);
}

function namesOf(...objects: object[]): string[] {
  return [...new Set(objects.flatMap((each) => Object.keys(each)))];
}

function shortened(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : shown(value);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
