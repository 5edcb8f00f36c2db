// Models as one file between a real page and Node: downloaded, loaded, saved, and opened in the page again; and the
// browser's promise to keep what is stored.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { load, predict, save, useBackend } from '../../src/index.ts';
import { readOnnx } from '../support/readOnnx.ts';
import { openPage, type OpenPage } from './harness.ts';
import type { ZipsInPage } from './zipsPage.ts';

const root = mkdtempSync(join(tmpdir(), 'transferkit-zips-'));
let opened: OpenPage;

beforeAll(async () => {
  await useBackend('cpu');
  opened = await openPage(fileURLToPath(new URL('zipsPage.ts', import.meta.url)));
  await opened.page.waitForFunction('window.zips !== undefined');
});

afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  expect(opened.problems).toEqual([]);
  await opened.close();
});

function ask<Verb extends keyof ZipsInPage>(
  verb: Verb,
  ...given: Parameters<ZipsInPage[Verb]>
): Promise<Awaited<ReturnType<ZipsInPage[Verb]>>> {
  return opened.page.evaluate(`window.zips.${verb}(...${JSON.stringify(given)})`);
}

test.each(['my-model', 'my-model.ZIP'])(
  'a model downloaded as %s loads in Node, and back in the page',
  async (name) => {
    const { page } = opened;
    const [download, probabilities] = await Promise.all([page.waitForEvent('download'), ask('download', name)]);
    expect(download.suggestedFilename().toLowerCase()).toBe('my-model.zip');
    const path = join(root, download.suggestedFilename());
    await download.saveAs(path);
    const close = probabilities.map((value): unknown => expect.closeTo(value, 6));
    using model = await load(path, { task: 'classes' });
    const predicted = await predict(model, [0.1, -0.4, 0.9]);
    expect(['a', 'b'].map((label) => predicted.find((one) => one.label === label)?.probability)).toEqual(close);
    const saved = join(root, 'from-node.zip');
    await save(model, saved);
    await page.setInputFiles('input', saved);
    expect(await ask('loadOpened')).toEqual(close);
  },
);

test('an export is downloaded as one file: Keras for load, ONNX with its metadata', async () => {
  const { page } = opened;
  const exported = async (name: string, format: 'keras' | 'onnx') => {
    const [download, probabilities] = await Promise.all([
      page.waitForEvent('download'),
      ask('downloadExport', name, format),
    ]);
    const path = join(root, download.suggestedFilename());
    await download.saveAs(path);
    return { name: download.suggestedFilename(), path, probabilities };
  };
  const keras = await exported('flowers', 'keras');
  expect(keras.name).toBe('flowers.keras');
  using model = await load(keras.path, { task: 'classes' });
  const predicted = await predict(model, [0.1, -0.4, 0.9]);
  expect(['a', 'b'].map((label) => predicted.find((one) => one.label === label)?.probability)).toEqual(
    keras.probabilities.map((value): unknown => expect.closeTo(value, 6)),
  );
  const onnx = await exported('flowers.onnx', 'onnx');
  expect(onnx.name).toBe('flowers.onnx');
  expect(readOnnx(new Uint8Array(readFileSync(onnx.path))).metadata.labels).toBe('["a","b"]');
});

test('an app gets the archive as a Blob, and load takes it', async () => {
  const { before, after, type } = await ask('repack');
  expect(after).toEqual(before);
  expect(type).toBe('application/zip');
  await expect(ask('upload')).rejects.toThrow(/SAVE_FAILED .*save: .*the server is full/);
});

test('a file that is no model, or gone since it was opened, is a clear error', async () => {
  const { page } = opened;
  const path = join(root, 'photo.zip');
  writeFileSync(path, 'no archive');
  await page.setInputFiles('input', path);
  await expect(ask('loadOpened')).rejects.toThrow(/NOT_A_MODEL .*load: expected a model in photo\.zip/);
  rmSync(path);
  await expect(ask('loadOpened')).rejects.toThrow(
    /NOT_FOUND .*load: expected to read photo\.zip, but: .*Open the file again/,
  );
});

test('keepStorage says what the browser decided, and how much space there is', async () => {
  const { page } = opened;
  const report = await ask('keep');
  expect(report).toEqual({
    persisted: false,
    usage: expect.any(Number) as unknown,
    quota: expect.any(Number) as unknown,
  });
  // Chromium decides alone, and says no to a site that nobody has used.
  const persist = (answer: string) => page.evaluate(`StorageManager.prototype.persist = ${answer}`);
  await persist('async () => true');
  expect(await ask('keep')).toEqual({ ...report, persisted: true, usage: expect.any(Number) as unknown });
  await persist("async () => { throw new TypeError('not in this frame') }");
  expect((await ask('keep')).persisted).toBe(false);
  // Workers have no `persist`, and pages by http have no `storage`.
  await page.evaluate('delete StorageManager.prototype.persist');
  expect((await ask('keep')).persisted).toBe(false);
  await page.evaluate('delete Navigator.prototype.storage');
  expect(await ask('keep')).toEqual({ persisted: false, usage: undefined, quota: undefined });
});
