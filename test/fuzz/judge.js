// What became of one damaged input. Whatever a reader does, it ends as one of these, and may have faults beside it.

const brand = Symbol.for('transferkit.error');

/** Ends that are faults in themselves; the others are `equal`, `differ` and `refused`. */
export const badEnds = ['exception', 'crash', 'hang', 'memory'];
/** Faults beside an end. */
export const faults = ['leak', 'output', 'late', 'accepted'];

/**
 * Reads one input and judges what happens.
 *
 * @param reader - Opened: `{ read(files), tensors?() }`.
 * @param expected - Values of the seed, undamaged.
 * @param watch - `{ written(): string, late(): string | undefined }`: what was printed and what was raised by nobody.
 */
export async function judge(reader, { files, seed, isProtected }, expected, watch) {
  const tensors = reader.tensors?.() ?? 0;
  const found = await endOf(reader, files, seed, expected);
  // Promises that nobody waits for raise once the queue is empty.
  await new Promise((resolve) => setImmediate(resolve));
  const left = (reader.tensors?.() ?? 0) - tensors;
  const late = watch.late();
  // A damaged saved model may say that its head is untrained; predict warns of that on purpose.
  const written = watch.written().replace(/^\[transferkit\] predict: the head on .* has never been trained.*\n?/gm, '');
  const beside = [
    ...(left === 0 ? [] : [['leak', `${left} tensors`]]),
    ...(written === '' ? [] : [['output', written]]),
    ...(late === undefined ? [] : [['late', late]]),
    ...(found.end === 'differ' && isProtected ? [['accepted', `${seed.name}: values differ`]] : []),
  ];
  return { ...found, ...(beside.length > 0 && { faults: Object.fromEntries(beside) }) };
}

async function endOf(reader, files, seed, expected) {
  try {
    const values = await reader.read(files, seed);
    return { end: isSame(values, expected) ? 'equal' : 'differ' };
  } catch (error) {
    return describe(error);
  }
}

/** The end that an error is, with what tells it from others. */
export function describe(error) {
  if (typeof error === 'object' && error !== null && brand in error) return { end: 'refused', code: error.code };
  const isTrap = error instanceof WebAssembly.RuntimeError;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return { end: isTrap ? 'crash' : 'exception', text: text.slice(0, 200), stack: frames.slice(0, 6).join('\n') };
}

function isSame(found, expected) {
  if (typeof found === 'string' || typeof expected === 'string') return found === expected;
  return found.length === expected.length && found.every((value, i) => Object.is(value, expected[i]));
}
