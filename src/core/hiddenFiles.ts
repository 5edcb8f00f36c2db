// Names of files and folders that systems and programs keep for themselves.
const systemNames = new Set(['thumbs.db', 'desktop.ini', '__macosx', '@eadir']);

/** Whether a name belongs to a system: `.DS_Store`, `._photo.jpg`, `Thumbs.db`, `__MACOSX` and the like. */
export function isHiddenName(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase());
}
