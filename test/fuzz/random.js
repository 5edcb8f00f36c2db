// Seeded chance: a text names a stream of numbers, so that any mutation can be made again by its number alone.

/** Draws that follow from the parts alone. */
export function randomOf(...parts) {
  let state = hashOf(parts.join('/'));
  // mulberry32
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit) => Math.floor(unit() * limit);
  return { unit, below, pick: (list) => list[below(list.length)] };
}

/** FNV-1a. */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  return hash;
}
