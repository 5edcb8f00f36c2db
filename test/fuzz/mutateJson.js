// Damage to JSON that leaves it JSON: a program that writes nonsense, or somebody who means harm.

const numbers = [0, -1, 1, 0.5, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 1e19, 1e308, -1e308, 1e-308];
const texts = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '/dev/zero',
  'file:///dev/zero',
  '\u0000',
  'null',
];
/** Walking through JSON is recursive. */
const deepest = 500;
const placeholder = '"@deep@"';

/** Every place of a value: what holds it, and its key. */
function placesOf(value, places = []) {
  if (typeof value !== 'object' || value === null) return places;
  for (const key of Object.keys(value)) {
    places.push([value, key]);
    placesOf(value[key], places);
  }
  return places;
}

function retyped(value, random) {
  const isObject = typeof value === 'object' && value !== null;
  const primitives = isObject ? ['[object Object]'] : [String(value), Number(value)];
  // No text and no number can be made of the last.
  const objects = [[], {}, [value], { value }, { toString: 1, valueOf: 1 }];
  const other = random.pick([null, true, false, 0, 1.5, 'text', ...objects, ...primitives]);
  return typeof other === 'number' && !Number.isFinite(other) ? null : other;
}

/** A value inside many lists or objects: the text, since writing it is recursive. */
function nested(text, random) {
  const depth = random.pick([10, 1000, 20_000]);
  return random.unit() < 0.5
    ? '['.repeat(depth) + text + ']'.repeat(depth)
    : '{"a":'.repeat(depth) + text + '}'.repeat(depth);
}

const operations = {
  remove(holder, key) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
  duplicate(holder, key) {
    if (Array.isArray(holder)) holder.splice(Number(key), 0, holder[key]);
    else holder[`${key}_1`] = holder[key];
  },
  retype(holder, key, random) {
    holder[key] = retyped(holder[key], random);
  },
  number(holder, key, random) {
    const value = holder[key];
    holder[key] =
      typeof value === 'number' && random.unit() < 0.3 ? value * random.pick([-1, 2, 1000]) : random.pick(numbers);
  },
  text(holder, key, random) {
    holder[key] = random.unit() < 0.1 ? 'x'.repeat(100_000) : random.pick(texts);
  },
  rename(holder, key, random, places) {
    if (Array.isArray(holder)) return;
    const value = holder[key];
    delete holder[key];
    holder[random.unit() < 0.5 ? random.pick(texts) : random.pick(places)[1]] = value;
  },
  copy(holder, key, random, places) {
    const [from, name] = random.pick(places);
    holder[key] = structuredClone(from[name]);
  },
  swap(holder, key, random, places) {
    const [other, name] = random.pick(places);
    const [mine, theirs] = [structuredClone(holder[key]), structuredClone(other[name])];
    holder[key] = theirs;
    other[name] = mine;
  },
  grow(holder, key, random) {
    const value = holder[key];
    if (Array.isArray(value) && value.length > 0) {
      const each = random.pick(value);
      value.push(...Array.from({ length: random.pick([1, 10, 500]) }, () => each));
    } else operations.number(holder, key, random);
  },
  swapAlike(holder, key, random, places) {
    const alike = places.filter(([, name]) => name === key);
    const [from, name] = random.pick(alike);
    holder[key] = structuredClone(from[name]);
  },
};

/** How deep brackets go; those in texts count too, which does no harm. */
function depthOf(text) {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') most = Math.max(most, ++depth);
    else if (character === ']' || character === '}') depth--;
  }
  return most;
}

/** One fault in the text of a JSON document; text that is no JSON, or nested already, stays as it is. */
export function mutateJson(text, random) {
  if (depthOf(text) > deepest) return text;
  let root;
  try {
    root = { root: JSON.parse(text) };
  } catch {
    return text;
  }
  const places = placesOf(root);
  const [holder, key] = random.pick(places);
  if (random.unit() < 0.04) {
    const inner = JSON.stringify(holder[key]) ?? 'null';
    holder[key] = JSON.parse(placeholder);
    return JSON.stringify(root.root).replace(placeholder, () => nested(inner, random));
  }
  operations[random.pick(Object.keys(operations))](holder, key, random, places);
  return JSON.stringify(root.root) ?? 'null';
}
