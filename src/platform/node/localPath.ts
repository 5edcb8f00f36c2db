// The path that a user means: a path, or a `file:` address in one of the forms that are in use.
import { fileURLToPath } from 'node:url';
import { TransferKitError } from '../../core/errors.ts';

/**
 * The path of a location. `file:///…` is absolute; `file://model/model.json`, `file://./model` and `file:model` begin at
 * the working directory, as tfjs-node takes them (on Windows the first names a server, as everywhere there).
 *
 * @returns Any other location as it is.
 * @throws TransferKitError `INVALID_OPTION` for an address that names no path.
 */
export function localPath(location: string | URL): string {
  const text = String(location);
  if (!/^file:/i.test(text)) return text;
  const [, slashes = '', rest = ''] = /^file:([/\\]*)(.*)$/is.exec(text) ?? [];
  const isRelative = slashes.length === 0 || (slashes.length === 2 && !isHost(rest));
  try {
    return isRelative ? decodeURIComponent(rest) : fileURLToPath(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const found = `'${text.slice(0, 200)}'`;
    const message = `expected a file: address of a path, such as file:///models/model.json or file://./model.json, got ${found}: ${reason}.`;
    throw new TransferKitError('INVALID_OPTION', message, { location: text.slice(0, 200), reason }, cause);
  }
}

function isHost(rest: string): boolean {
  if (/^localhost[/\\]/i.test(rest)) return true;
  return process.platform === 'win32' && !/^\.{1,2}([/\\]|$)/.test(rest);
}
