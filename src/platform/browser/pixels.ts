// Memory for pixels, used again and again: fresh memory costs a page more time than drawing into it.

/** Most bytes that are kept. */
const most = 2 ** 26;

const kept: ArrayBuffer[] = [];
let bytes = 0;

/** Memory for so many values, with any content. */
export function takePixels(length: number): Uint8Array<ArrayBuffer> {
  const fitting = kept.findIndex(({ byteLength }) => byteLength >= length && byteLength <= 4 * length);
  const [buffer = new ArrayBuffer(length)] = fitting < 0 ? [] : kept.splice(fitting, 1);
  if (fitting >= 0) bytes -= buffer.byteLength;
  return new Uint8Array(buffer, 0, length);
}

/** Gives back what {@link takePixels} gave. Nobody may use it any more. */
export function returnPixels({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (!(buffer instanceof ArrayBuffer) || bytes + buffer.byteLength > most) return;
  kept.push(buffer);
  bytes += buffer.byteLength;
}
