// Prints what the protocol has found so far, as a table in Markdown: each setting's gain over the solved head in points,
// on every kind of draw, with the largest training loss of the first three epochs divided by the head's.
import { gainsOf, mean, standardError } from './ranking.js';
import { readResults } from './results.js';

const rows = await readResults();
const kinds = [...new Set(rows.map(({ few }) => few))];
const sets = [...new Set(rows.map(({ set }) => set))].sort();
const columns = kinds.flatMap((few) => sets.map((set) => ({ few, set })));
console.log(`| setting | ${columns.map(({ few, set }) => `${set}, ${few}`).join(' | ')} | loss ratio |`);
console.log(`| --- |${' --- |'.repeat(columns.length + 1)}`);
for (const name of new Set(rows.map((row) => row.name))) {
  const own = rows.filter((row) => row.name === name);
  const cells = columns.map(({ few, set }) => {
    const draws = own.filter((row) => row.few === few && row.set === set);
    return draws.length === 0 ? '' : summary(gainsOf(own, draws, name));
  });
  const ratio = Math.max(...own.flatMap(({ ratios }) => ratios));
  console.log(`| ${name} | ${cells.join(' | ')} | ${ratio.toPrecision(3)} |`);
}

function summary(gains) {
  const error = gains.length > 1 ? ` ± ${standardError(gains).toFixed(1)}` : '';
  return `${mean(gains).toFixed(1)}${error}`;
}
