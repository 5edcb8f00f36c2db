// The only code that writes to the console: for warnings that do not fit into a verb's result.
const warned = new WeakSet<object>();

/** Warns about an object, once. */
export function warnOnce(about: object, text: string): void {
  if (warned.has(about)) return;
  warned.add(about);
  console.warn(`[transferkit] ${text}`);
}
