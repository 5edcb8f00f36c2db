// The help of each command, in docs/cli.md too.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commandTable.ts';
import { commandHelp } from '../../src/cli/help.ts';
import { readArguments } from '../../src/cli/shell/readArguments.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/cli.md', import.meta.url)), 'utf8');

test.each(Object.entries(commands))('%s: its help is in the docs, and its examples can be read', async (name, row) => {
  const { command } = await row.load();
  expect(command.name).toBe(name);
  expect(page).toContain(`\`\`\`text\n${commandHelp(command)}\n\`\`\``);
  for (const example of command.examples) {
    const [program, first, ...words] = example.replace(/ > .*/, '').split(' ');
    expect([program, first]).toEqual(['transferkit', name]);
    readArguments(words, { ...command.options, json: { kind: 'flag', text: '' } });
  }
});
