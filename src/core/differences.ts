// In what two pieces of plain data differ.
import { isJsonObject, type Json } from './json.ts';

const longest = 60;

/** `batchSize (32 here, 16 there)`, for each value that is not the same. */
export function differencesOf(here: Json | undefined, there: Json | undefined, path = ''): string[] {
  if (isJsonObject(here) && isJsonObject(there)) {
    const names = new Set([...Object.keys(here), ...Object.keys(there)]);
    return [...names].flatMap((name) => differencesOf(here[name], there[name], path === '' ? name : `${path}.${name}`));
  }
  const [own, other] = [shown(here), shown(there)];
  return own === other ? [] : [`${path} (${shortened(own)} here, ${shortened(other)} there)`];
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function shortened(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
