// Checks how deep and how large a value is without looking further than the limits.

/**
 * Returns which of two limits a value exceeds, if any. It never looks beyond these limits, and it does not recurse.
 *
 * @param levels - Levels of nesting below the value itself.
 * @param values - Number of values; members of lists and objects count.
 */
export function exceededBy(value: unknown, levels: number, values: number): 'levels' | 'values' | undefined {
  let level: unknown[] = [value];
  let seen = 1;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return 'levels';
    const next: unknown[] = [];
    for (const holder of level) {
      if (typeof holder !== 'object' || holder === null) continue;
      // Do not copy the members of a long list.
      if (Array.isArray(holder) && holder.length > values - seen) return 'values';
      const members: unknown[] = Object.values(holder);
      seen += members.length;
      if (seen > values) return 'values';
      for (const member of members) next.push(member);
    }
    level = next;
  }
  return undefined;
}
