// The mutation of a given number: a seed of the reader, and one to four faults in its files.
import { mutateBytes } from './mutateBytes.js';
import { mutateJson } from './mutateJson.js';
import { randomOf } from './random.js';

/**
 * Seeds as `mutate` takes them, and what reading each undamaged gives.
 *
 * @returns `{ seeds, expected }`, values by name of seed.
 */
export async function prepareSeeds({ seeds, read }) {
  // A Buffer's slices share its memory.
  const own = (files) =>
    Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Uint8Array.from(bytes)]));
  const prepared = seeds.map((seed) => ({ ...seed, files: own(seed.files) }));
  const expected = new Map();
  for (const seed of prepared) {
    expected.set(seed.name, await read(seed.pack ? seed.pack(seed.files) : seed.files, seed));
  }
  return { seeds: prepared, expected };
}

/**
 * A damaged input. It follows from seed, name of the reader and number alone.
 *
 * @param seeds - Of the reader: `{ name, files, ranges?, pack?, isVisible? }`; the last tells whether the checksum of a file
 *   differs after the damage, where a checksum is known to have blind spots.
 * @returns The seed, the files to read, and whether a checksum of the format should show the damage.
 */
export function mutate(seeds, reader, seed, number) {
  const random = randomOf(seed, reader, number);
  const chosen = random.pick(seeds);
  const files = { ...chosen.files };
  const names = Object.keys(files);
  const touched = new Set();
  do {
    const name = random.pick(names);
    files[name] = mutateFile(
      name,
      files[name],
      random,
      random.pick(Object.values(random.pick(seeds).files)),
      chosen.ranges?.[name],
    );
    touched.add(name);
  } while (random.unit() < 0.25 && touched.size < 4);
  const isChanged = names.some((name) => !Buffer.from(files[name]).equals(Buffer.from(chosen.files[name])));
  const isProtected = isChanged && names.every((name) => isUnderChecksum(chosen, name, files[name]));
  return { seed: chosen, files: chosen.pack ? chosen.pack(files) : files, isProtected };
}

function mutateFile(name, bytes, random, other, ranges) {
  const isJson = name.endsWith('.json');
  if (!isJson || random.unit() < 0.3) return mutateBytes(bytes, random, other, Array.isArray(ranges) ? ranges : []);
  return new TextEncoder().encode(mutateJson(new TextDecoder().decode(bytes), random));
}

/** Whether all that changed in a file lies where the format has a checksum. */
function isUnderChecksum({ files, ranges = {}, isVisible }, name, damaged) {
  const [bytes, own] = [files[name], ranges[name]];
  if (own === 'all') return true;
  if (bytes.length !== damaged.length) return false;
  if (isVisible?.(bytes, damaged) === false) return false;
  return bytes.every((byte, at) => byte === damaged[at] || (own ?? []).some(([from, to]) => at >= from && at < to));
}
