// Files and folders dropped on a real page, as a file manager drops them.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dropped } from './droppedFilesPage.ts';
import { openPage, type OpenPage } from './harness.ts';

let opened: OpenPage;
let folder = '';

/** A reader of a folder gives 100 entries at a time. */
const many = 230;
const visible = [
  ...Array.from({ length: many }, (_, i) => `photos/cat/${i}.jpg`),
  'photos/dog/deep/er/1.png',
  'photos/dog/notes.txt',
];
const hidden = ['photos/.DS_Store', 'photos/cat/._1.jpg', 'photos/cat/Thumbs.db', '.trash/1.jpg', '__MACOSX/cat/1.jpg'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transferkit-dropped-'));
  for (const path of [...visible, ...hidden, 'single.jpg']) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), 'x');
  }
  await mkdir(join(folder, 'empty'));
  opened = await openPage(fileURLToPath(new URL('droppedFilesPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.nextDrop !== undefined');
});

afterAll(async () => {
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

async function drop(paths: readonly string[], late = false): Promise<Dropped> {
  const dropped = opened.page.evaluate<Dropped>(`window.nextDrop(${String(late)})`);
  const session = await opened.page.context().newCDPSession(opened.page);
  const data = { items: [], files: paths.map((path) => join(folder, path)), dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 20, y: 20, data });
  }
  return dropped;
}

test('a dropped folder gives all its files with their paths, sorted, and labels by subfolder', async () => {
  const { paths, classCounts } = await drop(['photos']);
  expect(paths).toEqual([...visible].sort());
  expect(classCounts).toEqual({ cat: many, er: 1 });
});

test('several folders and files at once; hidden ones are left out', async () => {
  const { paths } = await drop(['photos/dog', 'single.jpg', '.trash', '__MACOSX', 'empty']);
  expect(paths).toEqual(['dog/deep/er/1.png', 'dog/notes.txt', 'single.jpg']);
  expect((await drop(['empty'])).paths).toEqual([]);
});

test('a drop that is over, one without files, and what is no drop: an error that says so', async () => {
  const [late] = (await drop(['photos'], true)).errors;
  expect(late).toMatch(/^NO_EXAMPLES .*droppedFiles: .*got an empty one\. Call droppedFiles in the handler/);
  const [text, nothing] = await opened.page.evaluate<string[]>('window.wrongDrops()');
  expect(text).toMatch(/^NO_EXAMPLES .*got text\/plain only\. Drop files from a folder/);
  expect(nothing).toMatch(/^INVALID_OPTION .*expected the dataTransfer of a drop, got null\. Pass event\.dataTransfer/);
});

test('imageFiles names the way to read a drop', async () => {
  const { errors } = await drop(['single.jpg']);
  expect(errors).toEqual([expect.stringMatching(/^INVALID_OPTION .*imageFiles\(await droppedFiles\(event\.data/)]);
  expect(opened.problems).toEqual([]);
});
