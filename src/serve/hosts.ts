// Which names the header Host of a request may have. A page can point a name of its own to this computer and then reach
// the service as if it were its own site (DNS rebinding); it cannot do so with an address or with localhost.
import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

const form = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::\d{1,5})?$/;

/** Makes the check of a request's header: exactly one, with an address, localhost, or one of the names. */
export function hostCheck(names: readonly string[]): (request: IncomingMessage) => boolean {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  return (request) => {
    const given = valuesOf(request, 'host');
    const name = form.exec((given[0] ?? '').toLowerCase())?.[1]?.replace(/\.$/, '');
    if (given.length !== 1 || name === undefined) return false;
    return known.has(name) || name.endsWith('.localhost') || isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  };
}

/** All values of a header: Node keeps the first Host alone. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}
