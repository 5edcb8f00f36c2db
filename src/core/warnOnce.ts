// The only place that writes to the console: for what a verb has no result to say it in.
const warned = new WeakSet<object>();

/** Warns about something, once. */
export function warnOnce(about: object, text: string): void {
  if (warned.has(about)) return;
  warned.add(about);
  console.warn(`[transferkit] ${text}`);
}
