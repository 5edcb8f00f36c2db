// Results of a reader, counted; and the tables of them.
import { badEnds, faults } from './judge.js';

const columns = ['equal', 'differ', 'refused', ...badEnds, ...faults];

/** Counts by end and fault, refusals by code. */
export function tally(name, results) {
  const counts = Object.fromEntries(columns.map((column) => [column, 0]));
  const codes = {};
  for (const { end, code, faults: beside = {} } of results) {
    counts[end]++;
    if (end === 'refused') codes[code] = (codes[code] ?? 0) + 1;
    for (const fault of Object.keys(beside)) counts[fault]++;
  }
  return { name, mutations: results.length, counts, codes };
}

/** How many faults there are. */
export function badOf({ counts }) {
  return [...badEnds, ...faults].reduce((sum, column) => sum + counts[column], 0);
}

const titles = {
  equal: 'equal',
  differ: 'differ',
  refused: 'refused',
  exception: 'other exception',
  crash: 'crash',
  hang: 'hang',
  memory: 'memory',
  leak: 'leak',
  output: 'output',
  late: 'unhandled',
  accepted: 'damage accepted',
};

/** The tallies as a table in Markdown, with a row for all. */
export function tableOf(tallies) {
  const sum = (count) => tallies.reduce((all, each) => all + count(each), 0);
  const all = {
    name: 'all',
    mutations: sum(({ mutations }) => mutations),
    counts: Object.fromEntries(columns.map((column) => [column, sum(({ counts }) => counts[column])])),
  };
  const row = ({ name, mutations, counts }) => [name, mutations, ...columns.map((column) => counts[column])];
  return markdown([['reader', 'mutations', ...columns.map((column) => titles[column])], ...[...tallies, all].map(row)]);
}

/** Which codes the refusals had. */
export function codesOf(tallies) {
  const rows = tallies.map(({ name, codes }) => [
    name,
    Object.entries(codes)
      .sort(([, a], [, b]) => b - a)
      .map(([code, count]) => `\`${code}\` ${count}`)
      .join(', '),
  ]);
  return markdown([['reader', 'codes of the refusals'], ...rows]);
}

function markdown([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Faults that look alike, with one that shows each. */
export function groupsOf(name, results) {
  const groups = new Map();
  const add = (kind, text, number) => {
    const key = `${kind}: ${text.replaceAll(/\d+/g, '#').slice(0, 160)}`;
    const group = groups.get(key) ?? { reader: name, kind, text, count: 0, number };
    groups.set(key, { ...group, count: group.count + 1 });
  };
  for (const { number, end, text = '', stack = '', faults: beside = {} } of results) {
    if (badEnds.includes(end)) add(end, `${text}\n${stack.split('\n').slice(0, 3).join('\n')}`.trim(), number);
    for (const [fault, what] of Object.entries(beside)) add(fault, what.trim(), number);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}
