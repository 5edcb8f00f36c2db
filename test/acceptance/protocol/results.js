// The file of results: one line of JSON for each setting on each draw.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export const resultsFile =
  process.env.TRANSFERKIT_RESULTS ?? new URL('../../../.cache/protocol/results.ndjson', import.meta.url).pathname;

/** Every row so far. */
export async function readResults() {
  if (!existsSync(resultsFile)) return [];
  const text = await readFile(resultsFile, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Names a setting on a draw. */
export function keyOf({ set, few, seed, fit, name }) {
  return JSON.stringify([set, few, seed, fit, name]);
}
