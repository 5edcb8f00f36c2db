// The doors that package.json promises.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>;
};

/**
 * Names of the doors' files in src, by what they are imported as: `transferkit/node` is `node`, `transferkit` is
 * `index`.
 */
export const doors: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(manifest.exports)
    .filter((path) => path !== './package.json')
    .map((path) => (path === '.' ? ['transferkit', 'index'] : [`transferkit/${path.slice(2)}`, path.slice(2)])),
);
