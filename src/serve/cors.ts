// Headers that let pages of other origins call the service (CORS). Without `allowOrigin` there are none: a page may not
// send a picture without asking first, because its type is none of a plain form.
import type { IncomingMessage } from 'node:http';

type Headers = Readonly<Record<string, string>>;

/** Makes the headers for the origin of a request: none if it is not allowed. */
export function corsHeaders(origins: readonly string[]): (request: IncomingMessage) => Headers {
  if (origins.length === 0) return () => ({});
  if (origins.includes('*')) return () => ({ 'Access-Control-Allow-Origin': '*' });
  return ({ headers: { origin } }) =>
    origin !== undefined && origins.includes(origin)
      ? { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }
      : { Vary: 'Origin' };
}

/** What a page asks for before it sends a picture. */
export function preflightHeaders(methods: string): Headers {
  return {
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': 'Content-Type',
    'Access-Control-Max-Age': '600',
  };
}
