// Resolves a path, or a `file:` address in one of the forms in use.
import { fileURLToPath } from 'node:url';
import { TransferKitError } from '../../core/errors.ts';

/**
 * Returns the path of a location. `file:///…` is absolute. `file://model/model.json`, `file://./model` and `file:model`
 * are relative to the working directory, as in tfjs-node (on Windows the first names a server, as usual there).
 *
 * @returns Any other location unchanged.
 * @throws TransferKitError `INVALID_OPTION` for an address that does not describe a path.
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
