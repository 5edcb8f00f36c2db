// Help as text: of the program and of each command.
import { commands } from './commandTable.ts';
import type { AnyCommand, OptionSpec } from './shell/command.ts';
import { everywhere } from './shell/sharedOptions.ts';

/** The help of the program. */
export function programHelp(): string {
  return [
    'Transfer learning from the command line: pictures in, a model out.',
    '',
    'Usage: transferkit <command> …',
    '',
    ...columns(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    '',
    ...columns([
      ['<command> --help', 'its options, with examples'],
      ['--version', 'the version of transferkit'],
    ]),
    '',
    'Examples:',
    '  transferkit inspect photos        # photos/<label>/*.jpg',
    '  transferkit train photos          # writes the folder model',
    '  transferkit predict model cat.jpg',
  ].join('\n');
}

/** The help of a command. */
export function commandHelp({ name, text, places, options, examples }: AnyCommand): string {
  const described = Object.entries({ ...options, ...everywhere });
  return [
    text,
    '',
    `Usage: transferkit ${name} ${places.map((place) => `<${place}>`).join(' ')} [options]`,
    '',
    ...columns(described.map(([option, spec]) => [`--${option}${placeholderOf(spec)}`, spec.text])),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
  ].join('\n');
}

function placeholderOf(spec: OptionSpec): string {
  if (spec.kind === 'flag') return '';
  return spec.kind === 'choice' ? ` ${spec.choices.join('|')}` : ` <${spec.placeholder}>`;
}

/** Names and texts in two columns; a text begins a new line where its name is long. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const longest = 30;
  const width = Math.min(longest, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) =>
    name.length > width ? [`  ${name}`, `  ${' '.repeat(width)}  ${text}`] : [`  ${name.padEnd(width)}  ${text}`],
  );
}
