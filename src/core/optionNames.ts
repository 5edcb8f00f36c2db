// Names of options: a misspelt one raises an error that names the nearest known one.
import { TransferKitError } from './errors.ts';
import { closestNames } from './names.ts';
import { isPromise, shorten, shown } from './shown.ts';

type KeysOf<Options> = Options extends unknown ? keyof Options : never;

/**
 * A table with the name of every option of a type, or of every type of a union. When the type gains or loses a name,
 * the table does not compile until it has the same names. The values of the table are free.
 */
export type NamesOf<Options, Value = true> = Readonly<Record<KeysOf<Options>, Value>>;

/** Where options appear, and how they are written. */
export interface OptionPlace {
  /** Name of the option that holds them; missing for the options of the function itself. */
  readonly of?: string;
  /** An example of the function's options, as users write it. */
  readonly example?: string;
}

/**
 * Words of other libraries, in lower case, and the names that this package has for them. Used only where an option of
 * that name exists.
 */
const otherWords: Readonly<Record<string, string>> = {
  alpha: 'decay',
  bs: 'batchSize',
  callbacks: 'onEpoch',
  k: 'topK',
  lr: 'learningRate',
  randomstate: 'seed',
  test: 'validation',
  wd: 'weightDecay',
};

/**
 * Raises unless options are an object with known names. Untyped programs may pass anything.
 *
 * @param options - The options as given.
 * @param names - The name of every option; see {@link NamesOf}.
 * @throws TransferKitError `INVALID_OPTION` for an unknown name, with `{ option, nearest }`, and `of` for an option of
 * an option.
 */
export function assertOptions<Options extends object>(
  options: Options,
  names: NamesOf<Options, unknown>,
  { of, example = exampleOf(names) }: OptionPlace = {},
): void {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null || Array.isArray(given) || isPromise(given)) {
    const got = typeof given === 'string' ? `'${shorten(given)}'` : shown(given);
    const text = `expected ${of ?? 'options'} such as ${example}, got ${got}.`;
    throw new TransferKitError('INVALID_OPTION', text, { received: given });
  }
  const known = Object.keys(names);
  const option = Object.keys(given).find((name) => !known.includes(name));
  if (option === undefined) return;
  const nearest = nearestOptions(option, known);
  const text =
    `expected known options${of === undefined ? '' : ` of ${of}`}, got '${shorten(option)}'. ` +
    `Nearest: ${nearest.join(', ')}.`;
  throw new TransferKitError('INVALID_OPTION', text, { option, ...(of === undefined ? {} : { of }), nearest });
}

function exampleOf(names: object): string {
  const known = Object.keys(names);
  return `{ ${known.slice(0, 3).join(', ')}${known.length > 3 ? ', …' : ''} }`;
}

function nearestOptions(option: string, known: readonly string[]): readonly string[] {
  const word = otherWords[option.toLowerCase().replace(/[^a-z]/g, '')];
  return word !== undefined && known.includes(word) ? [word] : closestNames(option, known);
}
