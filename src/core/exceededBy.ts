// How deep and how large a value is, found without going deeper or further than is allowed.

/**
 * Which of two limits a value exceeds, if any. No more is looked at than these limits allow, and nothing calls itself.
 *
 * @param levels - Levels of nesting below the value itself.
 * @param values - Values, the members of lists and objects among them.
 */
export function exceededBy(value: unknown, levels: number, values: number): 'levels' | 'values' | undefined {
  let level: unknown[] = [value];
  let seen = 1;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return 'levels';
    const next: unknown[] = [];
    for (const holder of level) {
      if (typeof holder !== 'object' || holder === null) continue;
      // The members of a long list are not even copied.
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
