// Changes the bit in a module's binary that says whether threads may share its memory. Code that was compiled for
// unshared memory runs unchanged on shared memory, and vice versa.

/** Sections of a binary that declare memories. */
const importSection = 2;
const memorySection = 5;
const hasMaximum = 1;
const isShared = 2;

/**
 * Returns the same module with its memory, imported or its own, declared as shared or not.
 *
 * @returns A copy; undefined when the binary declares no memory, or one without the maximum that sharing needs.
 */
export function withMemoryType(binary: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> | undefined {
  const copy = Uint8Array.from(binary);
  const at = limitsOf(copy);
  const flags = at === undefined ? undefined : copy[at];
  if (at === undefined || flags === undefined || (flags & hasMaximum) === 0) return undefined;
  copy[at] = shared ? flags | isShared : flags & ~isShared;
  return copy;
}

/** Finds the limits of the memory: their first byte says whether it is shared. */
function limitsOf(binary: Uint8Array): number | undefined {
  const reader = new Reader(binary, 8); // after magic number and version
  while (reader.at < binary.length) {
    const id = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    const found = id === memorySection ? ownMemory(reader) : id === importSection ? importedMemory(reader) : undefined;
    if (found !== undefined) return found;
    reader.at = end;
  }
  return undefined;
}

function ownMemory(reader: Reader): number | undefined {
  return reader.number() === 0 ? undefined : reader.at;
}

function importedMemory(reader: Reader): number | undefined {
  for (let count = reader.number(); count > 0; count--) {
    reader.skipName();
    reader.skipName();
    const kind = reader.byte();
    if (kind === 2) return reader.at;
    // Tables and globals are not parsed: no module here imports them before its memory.
    if (kind !== 0) return undefined;
    reader.number();
  }
  return undefined;
}

/** Reads numbers in WebAssembly's encoding (LEB128). */
class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  skipName(): void {
    const length = this.number();
    this.at += length;
  }
}
