// Reads the words of a command line by the options of a command. Unknown names are refused with the nearest known ones.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { TransferKitError } from '../../core/errors.ts';
import { closestNames, hasKey } from '../../core/names.ts';
import { invalidOption } from '../../core/optionChecks.ts';
import type { AnyCommand, OptionSpec, OptionSpecs } from './command.ts';

/** What was typed after the name of a command. */
export interface Arguments {
  readonly values: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly places: readonly string[];
}

/**
 * Reads options and arguments.
 *
 * @throws TransferKitError `INVALID_OPTION` for an unknown option, and for a value that is missing or wrong.
 */
export function readArguments(words: readonly string[], specs: OptionSpecs): Arguments {
  const { tokens, positionals } = parseArgs({
    args: [...words],
    options: parsedOptions(specs),
    // Checked here, so that the texts name the nearest options.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | number | boolean | undefined> = {};
  for (const [name, { kind }] of Object.entries(specs)) values[name] = kind === 'flag' ? false : undefined;
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const spec = hasKey(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, specs);
    values[token.name] = valueOf(token.rawName, token.value, spec);
  }
  return { values, places: positionals };
}

/**
 * Raises unless there is an argument for each place of a command.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertPlaces(
  { name, places }: Pick<AnyCommand, 'name' | 'places'>,
  given: readonly string[],
): asserts given is readonly [string, ...string[]] {
  const mayHaveMore = places.at(-1)?.endsWith('…') === true;
  if (given.length === places.length || (mayHaveMore && given.length > places.length)) return;
  const usage = `transferkit ${name} ${places.map((place) => `<${place}>`).join(' ')}`;
  const got = given.length === 0 ? 'no argument' : given.map((each) => `'${each}'`).join(' ');
  throw invalidOption(usage, given, `${got}. Help: transferkit ${name} --help`);
}

/** The types that `parseArgs` knows. */
function parsedOptions(specs: OptionSpecs): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { kind }]) => [name, { type: kind === 'flag' ? 'boolean' : 'string' }]),
  );
}

function valueOf(name: string, value: string | undefined, spec: OptionSpec): string | number | boolean {
  if (spec.kind === 'flag') {
    if (value !== undefined) throw invalidOption(`${name} without a value`, value);
    return true;
  }
  if (value === undefined || value === '' || value.startsWith('--')) {
    throw invalidOption(`a value after ${name}`, value, value === undefined ? 'none' : `'${value}'`);
  }
  if (spec.kind === 'choice' && !spec.choices.includes(value)) {
    throw invalidOption(`${name} to be ${spec.choices.join(', ')}`, value);
  }
  if (spec.kind !== 'number') return value;
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw invalidOption(`a number after ${name}`, value);
  return number;
}

function unknownOption(name: string, specs: OptionSpecs): TransferKitError {
  const known = Object.keys(specs).map((each) => `--${each}`);
  return invalidOption('a known option', name, `'${name}' (nearest: ${closestNames(name, known).join(', ')})`);
}
