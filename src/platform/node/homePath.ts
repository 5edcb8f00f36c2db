// Paths that begin with ~: a shell replaces it by the home folder, Node does not.
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A sentence for error texts about a path that begins with ~, with a space before it; empty for any other path. */
export async function homeAdvice(path: string): Promise<string> {
  if (!/^~($|[/\\])/.test(path)) return '';
  const meant = join(homedir(), path.slice(1));
  const found = await access(meant).then(
    () => 'which is there',
    () => 'which is not there either',
  );
  return ` A shell replaces ~ by the home folder, Node does not: give the whole path, '${meant}', ${found}.`;
}
