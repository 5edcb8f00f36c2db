// Finds the weights of a layer in a Keras file by the layer's path.
import type { StoredLayer } from './storedLayers.ts';

/** A layer's place in the file, and the stored layers there. */
export interface Located {
  /** Path of the place; the stored layers are at it or below it (cells, directions). */
  readonly path: string;
  readonly layers: readonly StoredLayer[];
}

/** Finds the layer with these names, those of the outer models first. */
export type Locate = (names: readonly string[]) => Located | undefined;

/**
 * Builds the index of a file. Nested models may have other names in the file, or be missing: then the end of the path
 * decides, if it is unique.
 *
 * @param rename - Converts the file's layer names to those of the graph.
 */
export function locator(layers: readonly StoredLayer[], rename: (name: string) => string): Locate {
  const groups = new Map<string, StoredLayer[]>();
  const places = new Map<string, Map<string, StoredLayer[]>>();
  for (const layer of layers) {
    if (layer.group !== '') append(groups, rename(layer.group), layer);
    const path = renamePath(layer.path, rename);
    for (const place of placesAbove(path)) {
      const parts = place.split('/');
      for (let start = 0; start < parts.length; start++) {
        const key = parts.slice(start).join('/');
        const found = places.get(key) ?? new Map<string, StoredLayer[]>();
        places.set(key, found);
        append(found, place, layer);
      }
    }
  }
  return (names) => {
    const direct = names.length === 1 ? groups.get(names[0] ?? '') : undefined;
    if (direct !== undefined) return { path: names[0] ?? '', layers: direct };
    for (let start = 0; start < names.length; start++) {
      const key = names.slice(start).join('/');
      const found = places.get(key);
      const path = found?.has(key) === true ? key : found?.size === 1 ? [...found.keys()][0] : undefined;
      if (path !== undefined) return { path, layers: found?.get(path) ?? [] };
    }
    return undefined;
  };
}

/** A path and its parents: `a/b/c`, `a/b`, `a`. */
function placesAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
}

/** Renames the whole path when it is a layer's name with slashes, else each of its parts. */
function renamePath(path: string, rename: (name: string) => string): string {
  const whole = rename(path);
  return whole === path ? path.split('/').map(rename).join('/') : whole;
}

function append<Key>(map: Map<Key, StoredLayer[]>, key: Key, layer: StoredLayer): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [layer]);
  else list.push(layer);
}
