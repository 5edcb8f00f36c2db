// What a command of the program is: its arguments, its options, its help and its work.
import type { Terminal } from './terminal.ts';

/** One option, `--name`. Its kind decides how its value is read. */
export type OptionSpec = { readonly text: string } & (
  | { readonly kind: 'flag' }
  | { readonly kind: 'text' | 'number'; readonly placeholder: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
);

/** Options by their names, as they are typed after the two dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type ValueOf<Spec> = Spec extends { readonly kind: 'flag' }
  ? boolean
  : Spec extends { readonly kind: 'number' }
    ? number | undefined
    : Spec extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
      ? Choice | undefined
      : string | undefined;

/** Values of options, by name. A flag that is not given is false; another option that is not given is undefined. */
export type ValuesOf<Specs> = { readonly [Name in keyof Specs]: ValueOf<Specs[Name]> };

/** A command, as a user defines and reads it. */
export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** What it does, in one or two sentences. */
  readonly text: string;
  /** Names of its arguments. All are required; the last one stands for one or more if it ends with `…`. */
  readonly places: readonly string[];
  readonly options: Specs;
  /** Whole command lines. */
  readonly examples: readonly string[];
  run(call: Call<Specs>): Promise<void>;
}

/** One call of a command: what the user typed, and where results go. */
interface Call<Specs extends OptionSpecs = OptionSpecs> {
  readonly values: ValuesOf<Specs>;
  /** Arguments without options: at least one for each of `places`. */
  readonly places: readonly [string, ...string[]];
  readonly terminal: Terminal;
}

/** A command whose options may be any: a row of the table. */
export type AnyCommand = Omit<Command, 'run'> & {
  run(call: { readonly values: never; readonly places: Call['places']; readonly terminal: Terminal }): Promise<void>;
};

/** Gives `run` of a command the types of its own options. */
export function defineCommand<const Specs extends OptionSpecs>(command: Command<Specs>): Command<Specs> {
  return command;
}
