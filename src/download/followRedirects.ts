// Sends one request and follows redirects. Each target is checked before it is requested.
import { assertRedirect } from '../core/references.ts';
import type { ReadOptions } from '../core/platform.ts';
import { parseUrl } from '../core/parseUrl.ts';

const mostRedirects = 20;

/** An answer, and the final address. */
export interface Reached {
  readonly response: Response;
  readonly reached: string;
}

/**
 * Fetches an address.
 *
 * @param seesRedirects - Whether the global `fetch` reports the target of a redirect. A browser's does not. The user's
 * own may add credentials, which must not be sent to other sites. Both follow redirects themselves, and only the final
 * address is checked.
 * @throws TransferKitError `NOT_TRUSTED`; errors of `fetch` are passed on.
 */
export async function followRedirects(
  address: string,
  init: RequestInit,
  { fetch, from, allowElsewhere }: ReadOptions,
  seesRedirects: boolean,
): Promise<Reached> {
  const isManual = seesRedirects && fetch === undefined;
  const read = fetch ?? globalThis.fetch;
  let by = address;
  for (let redirects = 0; ; redirects++) {
    const response = await read(by, isManual ? { ...init, redirect: 'manual' } : init);
    const to = isManual ? targetOf(response, by) : undefined;
    if (to === undefined && (response.url === '' || response.url === by)) return { response, reached: by };
    try {
      assertRedirect({ asked: address, by, to: to ?? response.url, from }, allowElsewhere);
      if (redirects === mostRedirects) throw new TypeError('redirect count exceeded');
    } catch (error) {
      release(response);
      throw error;
    }
    if (to === undefined) return { response, reached: response.url };
    release(response);
    by = to;
  }
}

/** The target of a redirect; undefined for any other answer. */
function targetOf({ status, headers }: Response, by: string): string | undefined {
  const location = [301, 302, 303, 307, 308].includes(status) ? headers.get('location') : null;
  if (location === null) return undefined;
  return parseUrl(location, by)?.href ?? location;
}

/** Releases an answer whose body is not read. */
export function release(response: Response): void {
  void response.body?.cancel().catch(() => undefined);
}
