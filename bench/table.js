// The report as text. Pure.
import { findFigure } from './figures.js';

/** Titles of works, in the order in which they are shown. */
export const titles = {
  start: 'start: process, import, backend',
  product: 'a product of 1024 × 1024',
  load: 'load a saved model',
  loadPreset: 'load weights into an architecture',
  extract: 'extract features',
  head: 'head, from pictures, all epochs',
  headCached: 'the same, features kept by hand',
  last: 'last blocks, one more epoch',
  lastWhole: 'last blocks, one epoch from scratch',
  full: 'everything, one epoch',
  folder: 'folder of JPEGs to features',
  network: 'the same pictures from memory',
  extractMemory: 'largest memory up to extract',
  fullMemory: 'largest memory up to everything',
};

/** Times and memory of an architecture: a row for each work, a column for each contender. */
export function figureTable(arch, figures, contenders) {
  const present = contenders.filter(({ id }) => figures.some((each) => each.arch === arch && each.contender === id));
  const rows = Object.entries(titles).flatMap(([work, title]) => {
    const found = present.map(({ id }) => findFigure(figures, work, id, arch));
    if (found.every((figure) => figure === undefined)) return [];
    const unit = found.find((figure) => figure?.unit !== undefined)?.unit ?? '';
    return [[title, unit, ...found.map(cellOf)]];
  });
  return alignedTable([[arch, '', ...present.map(({ name }) => name)], ...rows]);
}

/** Errors that contenders gave instead of a figure. */
export function errorLines(figures, contenders) {
  return figures
    .filter(({ error }) => error !== undefined)
    .map(({ arch, work, contender, error }) => {
      const name = contenders.find(({ id }) => id === contender)?.name ?? contender;
      return `${arch}, ${titles[work] ?? work}, ${name}: ${error}`;
    });
}

/** Our ratios to every other contender, in each work that both did. */
export function ratioTable(arch, figures, contenders) {
  const others = contenders.filter(
    ({ id }) => id !== 'ours' && figures.some((each) => each.arch === arch && each.contender === id),
  );
  const rows = Object.entries(titles).flatMap(([work, title]) => {
    const ours = findFigure(figures, work, 'ours', arch);
    if (ours?.best === undefined) return [];
    const cells = others.map(({ id }) => {
      const other = findFigure(figures, work, id, arch);
      return other?.best === undefined ? '' : threeDigits(ours.best / other.best);
    });
    return cells.every((cell) => cell === '') ? [] : [[title, ...cells]];
  });
  return alignedTable([[`${arch}: ours divided by`, ...others.map(({ name }) => name)], ...rows]);
}

/** Goals, what was found, and whether they are met. `verdicts` is a list for each of our contenders. */
export function goalTable(verdicts) {
  return verdicts
    .map(({ name, goals }) => {
      const rows = goals.map(({ text, limit, found, range, met, by }) => [
        text,
        limit,
        threeDigits(found),
        range.map(threeDigits).join(' … '),
        met ? 'met' : `missed by ${(100 * by).toFixed(0)} %`,
      ]);
      return alignedTable([[`goals, ${name}`, 'limit', 'found', 'rounds', ''], ...rows]);
    })
    .join('\n\n');
}

/** Columns as wide as they need; the first to the left, numbers to the right. */
export function alignedTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [line(rows[0]), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join('\n');
}

function cellOf(figure) {
  if (figure === undefined) return '';
  if (figure.best === undefined) return 'cannot';
  const spread = figure.values.length > 1 ? ` +${(100 * figure.spread).toFixed(0).padStart(2)} %` : '';
  return `${threeDigits(figure.best)}${spread}`;
}

function threeDigits(value) {
  if (value >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}
