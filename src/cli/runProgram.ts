// Runs one command line: finds the command, reads its options, and turns errors into texts and exit codes.
import { readFileSync } from 'node:fs';
import { isTransferKitError, reasonOf } from '../core/errors.ts';
import { closestNames, hasKey } from '../core/names.ts';
import { invalidOption } from '../core/optionChecks.ts';
import { commands } from './commandTable.ts';
import { commandHelp, programHelp } from './help.ts';
import type { AnyCommand } from './shell/command.ts';
import { watchSignals } from './shell/interruption.ts';
import { assertPlaces, readArguments } from './shell/readArguments.ts';
import { everywhere } from './shell/sharedOptions.ts';
import { openTerminal } from './shell/terminal.ts';

/**
 * Runs a command line.
 *
 * The exit code of the process becomes 0, 1 after an error, 2 if the command line was wrong, 130 after Ctrl-C.
 *
 * @param words - What follows the name of the program.
 */
export async function runProgram(words: readonly string[]): Promise<void> {
  watchSignals();
  endWithReader();
  try {
    await runWords(words);
  } catch (error) {
    process.exitCode = report(error);
  }
}

async function runWords([name, ...words]: readonly string[]): Promise<void> {
  if (name === undefined) {
    process.stderr.write(`${programHelp()}\n`);
    process.exitCode = 2;
  } else if (name === '--help' || name === 'help') {
    print(programHelp());
  } else if (name === '--version') {
    print(packageVersion());
  } else {
    const { command } = await findCommand(name).load();
    await runCommand(command, words);
  }
}

async function runCommand(command: AnyCommand, words: readonly string[]): Promise<void> {
  const { values, places } = readArguments(words, { ...command.options, ...everywhere });
  if (values.help === true) {
    print(commandHelp(command));
    return;
  }
  assertPlaces(command, places);
  const terminal = await openTerminal({ quiet: values.quiet === true, json: values.json === true });
  try {
    // The values have the types of the options: each was read by its own description.
    await command.run({ values: values as never, places, terminal });
  } finally {
    terminal.stop();
  }
}

function findCommand(name: string): (typeof commands)[string] {
  const row = hasKey(commands, name) ? commands[name] : undefined;
  if (row !== undefined) return row;
  const known = Object.keys(commands);
  throw invalidOption('a command', name, `'${name}' (nearest: ${closestNames(name, known).join(', ')})`);
}

/** What the texts of some errors say about options of the library, for the command line. */
const hints: Readonly<Record<string, string>> = {
  CHECKPOINT_MISMATCH: 'Add --restart to begin anew.',
};

/** Writes an error, and returns the exit code. The stack is written only for what is not an error of this package. */
function report(error: unknown): number {
  const text = textOf(error);
  const isColoured = process.stderr.isTTY && process.stderr.hasColors();
  process.stderr.write(isColoured ? `\u001B[31m${text}\u001B[39m\n` : `${text}\n`);
  return isTransferKitError(error, 'INVALID_OPTION') ? 2 : 1;
}

function textOf(error: unknown): string {
  if (!isTransferKitError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [`${error.code}: ${reasonOf(error)}`, hints[error.code] ?? ''].join(' ').trimEnd();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A reader such as `head` may close the pipe before the end: that is no error. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}
