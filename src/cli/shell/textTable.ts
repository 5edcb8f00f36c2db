// Tables as text: in columns for people, and as CSV.

/** Rows by the names of their columns. */
export type Row = Readonly<Record<string, string | number | boolean | undefined>>;

/** Lines with aligned columns; the first line has the names. Numbers are aligned to the right. */
export function textTable(rows: readonly Row[]): string[] {
  const columns = columnsOf(rows).map((name) => {
    const values = rows.map((row) => row[name]);
    const cells = [name, ...shownValues(values)];
    const width = Math.max(...cells.map((cell) => cell.length));
    const isNumeric = values.every((value) => value === undefined || typeof value === 'number');
    return cells.map((cell) => (isNumeric ? cell.padStart(width) : cell.padEnd(width)));
  });
  return ['', ...rows].map((_, line) =>
    columns
      .map((cells) => cells[line] ?? '')
      .join('  ')
      .trimEnd(),
  );
}

/** The same rows as CSV (RFC 4180), with the names in the first line and numbers in full. */
export function csvTable(rows: readonly Row[]): string[] {
  const names = columnsOf(rows);
  return [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))].map((line) =>
    line.map(quotedCell).join(','),
  );
}

/** A share as a percentage: `93.4 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** How many of a thing, in words: `1 picture`, `2 pictures`. */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function columnsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/** Numbers of one column have the same number of digits. */
function shownValues(values: readonly Row[string][]): string[] {
  const hasFractions = values.some((value) => typeof value === 'number' && !Number.isInteger(value));
  return values.map((value) => (typeof value === 'number' && hasFractions ? value.toFixed(4) : String(value ?? '')));
}

function quotedCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
