// The trainer page as a person uses it: pictures in, train, stop, go on, try, reload, download; by keyboard, offline, and
// when things go wrong.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeModels } from '../../examples/trainer/models.js';
import { load, predict, type LabelPrediction } from '../../src/index.ts';
import { packPackage } from '../support/packed.ts';
import { openAddress, type OpenPage } from './harness.ts';
import {
  drawShapes,
  ownScriptBytes,
  serveTrainer,
  shapeLabels,
  writeOddFiles,
  type ServedPage,
} from './trainerSite.ts';

const flags = ['--use-fake-device-for-media-stream'];
const each = 12;
/** A computer that does other things, too, needs a while for everything. */
const patience = { timeout: 60_000 };

vi.setConfig({ testTimeout: 180_000 });

let workspace = '';
let site: ServedPage;
let opened: OpenPage;
let page: Page;
let others: Readonly<Record<string, string>>;
/** Addresses of other sites that were asked for. */
const elsewhere: string[] = [];

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'transferkit-trainer-'));
  await packPackage(join(workspace, 'source'));
  await writeModels();
  others = await drawShapes(join(workspace, 'shapes'), each);
  site = await serveTrainer(join(workspace, 'source'), join(workspace, 'page'));
  opened = await openAddress(site.address, () => undefined, { flags, permissions: ['camera'] });
  ({ page } = opened);
  page.setDefaultTimeout(patience.timeout);
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(site.address) && !/^(blob|data):/.test(address)) elsewhere.push(address);
  });
  await ready();
}, 300_000);

afterAll(async () => {
  await opened.close();
  site.close();
  await rm(workspace, { recursive: true, force: true });
});

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });

async function ready(): Promise<void> {
  await page.getByRole('heading', { name: 'Training' }).waitFor();
}

async function choose(name: string, files: string | readonly string[]): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button(name).click()]);
  await chooser.setFiles(typeof files === 'string' ? files : [...files]);
}

const counts = () => page.locator('.count').allTextContents();
const problem = () => page.getByRole('alert').getByText(/./).first().textContent(patience);
const rounds = () =>
  page
    .locator('.curves figure:first-child polyline.own')
    .evaluate((line) => line.getAttribute('points')?.split(' ').length ?? 0);

/** What axe finds wrong, in light and dark. */
async function faults(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      `${axe.source}; axe.run(document, { resultTypes: ['violations'] })`,
    );
    found.push(...violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes[0]?.html ?? ''}`));
  }
  return found;
}

async function trained(): Promise<void> {
  await page.getByRole('heading', { name: 'Try it' }).waitFor(patience);
}

/** Predictions that the page shows, as they are sorted by label. */
async function shown(): Promise<Record<string, number>> {
  const answers = page.getByRole('list', { name: 'What it sees' });
  await answers.getByRole('listitem').first().waitFor(patience);
  const items = await answers
    .getByRole('listitem')
    .evaluateAll((all) =>
      all.map(
        (item) => [item.querySelector('.label')?.textContent ?? '', item.querySelector('meter')?.value ?? NaN] as const,
      ),
    );
  return Object.fromEntries(items);
}

test('its own scripts are below 60 KiB compressed, and it is ready within 3 s', async () => {
  const bytes = await ownScriptBytes(join(workspace, 'page'));
  expect(bytes).toBeLessThan(60 * 1024);
  const times: number[] = [];
  for (let time = 0; time < 3; time++) {
    await page.reload();
    await ready();
    times.push(await page.evaluate(() => performance.now()));
  }
  expect(Math.min(...times)).toBeLessThan(3000);
  expect(await faults()).toEqual([]);
});

test('a folder gives labels and pictures', async () => {
  await choose('Open a folder…', join(workspace, 'shapes'));
  await expect.poll(counts, patience).toEqual(shapeLabels.map(() => `${each} pictures`));
  expect(
    await page
      .getByRole('textbox', { name: 'Name of the label' })
      .evaluateAll((all) => all.map((one) => (one instanceof HTMLInputElement ? one.value : ''))),
  ).toEqual(shapeLabels);
});

test('files that cannot be used are named with the reason; large ones are made small', async () => {
  await choose('Add files to disc', await writeOddFiles(join(workspace, 'odd')));
  expect(await problem()).toMatch(
    /^2 of 3 files were left out\. .*empty\.jpg: it is empty.*|^2 of 3 files were left out\. .*diary\.jpg: it is not a picture/,
  );
  await expect.poll(counts, patience).toEqual([`${each + 1} pictures`, `${each} pictures`, `${each} pictures`]);
  const kept = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        indexedDB.open('transferkit-trainer').onsuccess = ({ target }) => {
          const database = (target as IDBOpenDBRequest).result;
          database.transaction('pictures').objectStore('pictures').getAll().onsuccess = (answer) => {
            const pictures = (answer.target as IDBRequest<{ blob: Blob }[]>).result;
            database.close();
            resolve(Math.max(...pictures.map(({ blob }) => blob.size)));
          };
        };
      }),
  );
  expect(kept).toBeLessThan(60_000);
  await button('Close').first().click();
});

test('a removed picture comes back by undo', async () => {
  await button(`Remove picture ${each + 1} of disc`).click();
  await expect.poll(counts, patience).toContain(`${each} pictures`);
  await button('Undo').click();
  await expect.poll(async () => (await counts())[0], patience).toBe(`${each + 1} pictures`);
});

test('the camera takes pictures while its button is held, by pointer and by key', async () => {
  await button('Camera for triangle').click();
  const hold = button('Hold to capture');
  await page.locator('.capture video').waitFor(patience);
  expect(await faults()).toEqual([]);
  const number = async () => parseInt((await counts())[2] ?? '', 10);
  const before = await number();
  await hold.hover();
  await page.mouse.down();
  await expect.poll(number, patience).toBeGreaterThan(before + 1);
  await page.mouse.up();
  const between = await number();
  await hold.focus();
  await page.keyboard.down(' ');
  await expect.poll(number, patience).toBeGreaterThan(between);
  await page.keyboard.up(' ');
  await button('Close the camera').click();
  expect(await page.locator('video').count()).toBe(0);
  // Frames of the fake camera are no triangles.
  for (let taken = await number(); taken > before; taken--) await button(`Remove picture ${taken} of triangle`).click();
  await expect.poll(number, patience).toBe(before);
});

test('training stops, survives a reload, and goes on to its end', async () => {
  await page.getByRole('spinbutton', { name: 'Rounds' }).fill('6');
  await page.getByRole('spinbutton', { name: 'Rounds' }).blur();
  await button('Train').click();
  await expect.poll(rounds, patience).toBeGreaterThanOrEqual(2);
  await button('Stop').click();
  await button('Go on').waitFor(patience);
  const stopped = await rounds();
  expect(stopped).toBeLessThan(7);
  expect(await faults()).toEqual([]);
  await button('Go on').click();
  await page.locator('progress').waitFor();
  await expect.poll(() => page.locator('.step').textContent(), patience).toMatch(/^Training/);
  await page.reload();
  await ready();
  expect(await page.locator('.returned p').textContent()).toMatch(
    /3 labels and 37 pictures.*interrupted after \d of 6 rounds/,
  );
  await button('Go on training').click();
  await trained();
  await expect.poll(rounds, patience).toBe(7);
  expect(await page.locator('.accuracy').textContent()).toMatch(/^\d+ % of \d+ pictures/);
  expect(await page.getByRole('table').getByRole('rowheader').allTextContents()).toEqual(shapeLabels);
  expect(await faults()).toEqual([]);
});

test('it recognises pictures and what the camera shows, and says so to screen readers', async () => {
  for (const label of shapeLabels) {
    await choose('Choose a picture…', others[label] ?? '');
    await expect
      .poll(() => page.locator('.live [role=status]').textContent(), patience)
      .toMatch(new RegExp(`^${label}, .*\\d+ %`));
  }
  await button('Use the camera').click();
  await page.locator('.live video').waitFor(patience);
  await button('Stop the camera').click();
  expect(await page.locator('video').count()).toBe(0);
});

test('the downloaded model gives the same answers in Node, and the features have all pictures', async () => {
  await choose('Choose a picture…', others.disc ?? '');
  const answers = await shown();
  const download = async (name: string): Promise<string> => {
    const [file] = await Promise.all([page.waitForEvent('download'), button(name).click()]);
    const path = join(workspace, file.suggestedFilename());
    await file.saveAs(path);
    return path;
  };
  const zip = await download('Download the model (.zip)');
  expect(zip).toMatch(/my-model\.zip$/);
  const model = await load(zip, { task: 'classes' });
  const found: readonly LabelPrediction[] = await predict(model, others.disc ?? '');
  expect(found[0]?.label).toBe('disc');
  // The page made the picture smaller and compressed it, and how the training was interrupted differs from run to run.
  for (const { label, probability } of found) {
    expect(Math.abs((answers[label] ?? NaN) - probability)).toBeLessThan(0.15);
  }
  model.dispose();
  const features = JSON.parse(await readFile(await download('Download the features (.json)'), 'utf8')) as {
    readonly examples: readonly unknown[];
  };
  expect(features.examples).toHaveLength(3 * each + 1);
});

test('a downloaded model is opened as a base, and stays chosen', async () => {
  await choose('Open a model…', join(workspace, 'my-model.zip'));
  const network = page.getByRole('combobox', { name: 'Network' });
  expect(await network.locator('option:checked').textContent()).toBe('my-model.zip (opened)');
  await page.getByRole('combobox', { name: 'What is trained' }).selectOption('head');
  await button('Train again').click();
  await page.getByText('The new layer is trained.').waitFor(patience);
  await page.reload();
  await ready();
  expect(await network.locator('option:checked').textContent()).toBe('my-model.zip (opened)');
  await network.selectOption({ label: 'MobileNetV2 (ImageNet)' });
  await page.getByRole('combobox', { name: 'What is trained' }).selectOption('end');
});

test('a lost worker is told, and the training goes on in another one', async () => {
  await button('Train again').click();
  await expect.poll(() => page.locator('.step').textContent(), patience).toMatch(/^Training,/);
  await expect.poll(rounds, patience).toBeGreaterThanOrEqual(2);
  const [worker] = page.workers();
  await worker?.evaluate('self.close()').catch(() => undefined);
  expect(await problem()).toMatch(/^The browser ended the computation.*go on/);
  await page.locator('.row').getByRole('button', { name: 'Go on', exact: true }).click();
  await trained();
  await expect.poll(rounds, patience).toBe(7);
});

test('without a network it opens, recognises and trains', async () => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.context().setOffline(true);
  await page.reload();
  await ready();
  await choose('Choose a picture…', others.stripes ?? '');
  const answers = await shown();
  expect(answers.stripes).toBeGreaterThan(0.5);
  await page.getByRole('combobox', { name: 'What is trained' }).selectOption('head');
  await button('Train again').click();
  await page.getByText('The new layer is trained.').waitFor(patience);
  await page.context().setOffline(false);
});

test('a browser without room, and one that keeps nothing: a message each', async () => {
  const { origin } = new URL(site.address);
  const limits: Readonly<Record<string, (other: Page) => Promise<unknown>>> = {
    'The browser has no room for more. What is here stays': async (other) => {
      const session = await other.context().newCDPSession(other);
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    },
    'This window keeps nothing': (other) =>
      other.addInitScript("Object.defineProperty(window, 'indexedDB', { value: undefined })"),
  };
  for (const [text, limit] of Object.entries(limits)) {
    const context = await page.context().browser()!.newContext();
    try {
      const other = await context.newPage();
      await limit(other);
      await other.goto(site.address);
      await other.getByText(text).waitFor(patience);
    } finally {
      await context.close();
    }
  }
});

test('storage that is cleared in the middle: a message, and everything stays in the page', async () => {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: new URL(site.address).origin, storageTypes: 'indexeddb' });
  expect(await problem()).toMatch(/^What this page had stored was removed\. .* download the model/);
  expect((await counts())[0]).toBe(`${each + 1} pictures`);
});

test('a refused camera and files that are no model: a message each', async () => {
  await page.context().clearPermissions();
  await button('Camera for disc').click();
  await expect.poll(problem, patience).toMatch(/^The camera cannot be used\. .*Allow the camera for this page/);
  await choose('Open a model…', others.disc ?? '');
  await expect.poll(problem, patience).toMatch(/^Choose one \.zip, or one model\.json together with/);
});

test('on a phone nothing is wider than the screen', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(await faults()).toEqual([]);
});

test('nothing was asked of another site, and no script failed', () => {
  expect(elsewhere).toEqual([]);
  expect(opened.problems.filter((text) => !/net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED/.test(text))).toEqual([]);
});
