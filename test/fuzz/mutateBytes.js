// Damage to bytes of any format. Each function returns new bytes; what it was given stays as it is.

const edges = [
  0,
  1,
  -1,
  2 ** 7,
  2 ** 8 - 1,
  2 ** 15,
  2 ** 16 - 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 40,
  2 ** 53,
  -(2 ** 31),
];

/** How much lies between two places: mostly little. */
function lengthOf(bytes, random) {
  const most = Math.max(1, random.pick([4, 32, 256, bytes.length]));
  return 1 + random.below(most);
}

function joined(...parts) {
  return new Uint8Array(Buffer.concat(parts));
}

function place(bytes, random, ranges) {
  if (ranges.length === 0 || random.unit() < 0.5) return random.below(bytes.length);
  const [from, to] = random.pick(ranges);
  return from + random.below(to - from);
}

const operations = {
  flipBits(bytes, random, ranges) {
    const damaged = bytes.slice();
    const count = random.pick([1, 1, 1, 2, 8]);
    for (let i = 0; i < count; i++) damaged[place(bytes, random, ranges)] ^= 1 << random.below(8);
    return damaged;
  },
  setBytes(bytes, random, ranges) {
    const damaged = bytes.slice();
    const from = place(bytes, random, ranges);
    const value = random.pick([0, 0xff, 0x7f, 0x80, random.below(256)]);
    return damaged.fill(value, from, from + random.pick([1, 1, 2, 4, 16]));
  },
  scramble(bytes, random, ranges) {
    const damaged = bytes.slice();
    const from = place(bytes, random, ranges);
    const to = Math.min(bytes.length, from + lengthOf(bytes, random));
    for (let i = from; i < to; i++) damaged[i] = random.below(256);
    return damaged;
  },
  integerEdge(bytes, random, ranges) {
    const size = random.pick([1, 2, 4, 8]);
    if (bytes.length < size) return bytes;
    const damaged = Buffer.from(bytes);
    const at = Math.min(place(bytes, random, ranges), bytes.length - size);
    const value = BigInt.asUintN(size * 8, BigInt(random.pick(edges)));
    const digits = Buffer.alloc(8);
    digits.writeBigUInt64LE(value);
    const written = digits.subarray(0, size);
    damaged.set(random.unit() < 0.5 ? written : written.reverse(), at);
    return new Uint8Array(damaged);
  },
  truncate(bytes, random) {
    return bytes.slice(0, random.below(bytes.length));
  },
  cut(bytes, random) {
    const from = random.below(bytes.length);
    return joined(bytes.subarray(0, from), bytes.subarray(from + lengthOf(bytes, random)));
  },
  duplicate(bytes, random) {
    const from = random.below(bytes.length);
    const to = Math.min(bytes.length, from + lengthOf(bytes, random));
    return joined(bytes.subarray(0, to), bytes.subarray(from));
  },
  extend(bytes, random) {
    const more = Uint8Array.from({ length: lengthOf(bytes, random) }, () => random.below(256));
    return joined(bytes, more);
  },
  copyWithin(bytes, random) {
    const from = random.below(bytes.length);
    return bytes.slice().copyWithin(random.below(bytes.length), from, from + lengthOf(bytes, random));
  },
};

/**
 * One fault in the bytes.
 *
 * @param other - Bytes of another file, to splice parts of.
 * @param ranges - Places under a checksum: half of the faults that keep the length go there.
 */
export function mutateBytes(bytes, random, other = bytes, ranges = []) {
  if (bytes.length === 0) return Uint8Array.from({ length: 1 + random.below(64) }, () => random.below(256));
  if (random.unit() < 0.08 && other.length > 0) return spliced(bytes, random, other);
  return operations[random.pick(Object.keys(operations))](bytes, random, ranges);
}

function spliced(bytes, random, other) {
  const from = random.below(other.length);
  const part = other.subarray(from, from + lengthOf(other, random));
  const at = random.below(bytes.length);
  return joined(bytes.subarray(0, at), part, bytes.subarray(at + random.pick([0, part.length])));
}
