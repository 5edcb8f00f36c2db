// Addresses that may be none: what `URL.canParse` and `URL.parse` do, which browsers of docs/browsers.md lack.

/** Returns the address, relative to another one if that is given; undefined where the text is no address. */
export function parseUrl(text: string, base?: string | URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
