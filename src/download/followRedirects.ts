// One request, and the addresses that its server redirects to: each is looked at before it is asked.
import { assertRedirect } from '../core/references.ts';
import type { ReadOptions } from '../core/platform.ts';

const mostRedirects = 20;

/** An answer, and the address that gave it. */
export interface Reached {
  readonly response: Response;
  readonly reached: string;
}

/**
 * Fetches an address.
 *
 * @param seesRedirects - Whether the global `fetch` shows where a redirect leads. A browser's does not, and one of the
 * user's may add credentials, which are not for other sites: these follow by themselves, and the end is looked at.
 * @throws TransferKitError `NOT_TRUSTED`; what `fetch` raises.
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

/** Where an answer redirects; undefined for any other answer. */
function targetOf({ status, headers }: Response, by: string): string | undefined {
  const location = [301, 302, 303, 307, 308].includes(status) ? headers.get('location') : null;
  if (location === null) return undefined;
  return URL.canParse(location, by) ? new URL(location, by).href : location;
}

/** Lets go of an answer whose body nobody reads. */
export function release(response: Response): void {
  void response.body?.cancel().catch(() => undefined);
}
