// The documentation names every row of every table.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keysOf } from '../src/core/names.ts';
import { operations } from '../src/data/augment/operations.ts';
import { augmentPresets } from '../src/data/augment/presetOperations.ts';
import { tasks } from '../src/model/tasks/tasks.ts';
import { presetNames } from '../src/presets/presetTable.ts';
import { optimizers } from '../src/training/optimizers/optimizers.ts';
import { schedules } from '../src/training/schedules/schedules.ts';

const read = (page: string) => readFileSync(new URL(`../${page}`, import.meta.url), 'utf8');

test.each<[string, string, (name: string) => string, readonly string[]]>([
  ['optimizers', 'docs/training.md', (name) => `| \`'${name}'\` | \`${name}(`, keysOf(optimizers)],
  ['schedules', 'docs/training.md', (name) => `| \`'${name}'\` | \`${name}(`, keysOf(schedules)],
  ['operations', 'docs/augmentation.md', (name) => `\`${name}`, keysOf(operations)],
  ['augmentation presets', 'docs/augmentation.md', (name) => `'${name}'`, keysOf(augmentPresets)],
  ['tasks', 'docs/tasks.md', (name) => `| \`'${name}'\``, keysOf(tasks)],
  ['tasks', 'README.md', (name) => `\`'${name}'\``, keysOf(tasks)],
  ['presets', 'docs/bases.md', (name) => `\`${name}\``, presetNames()],
])('%s are all in %s', (_, page, written, names) => {
  const text = read(page);
  expect(names.filter((name) => !text.includes(written(name)))).toEqual([]);
});
