// webgl with 16 bits, as on many phones: the report, the console and the training log say so, and wasm is chosen before it.
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { openPage, type OpenPage } from './harness.ts';
import type { HalfPrecision } from './halfPrecisionPage.ts';

const program = fileURLToPath(new URL('halfPrecisionPage.ts', import.meta.url));
const noted = /^the backend webgl computes with 16 bits on this device: .*useBackend\('wasm'\)/;

let opened: OpenPage | undefined;

afterEach(async () => {
  expect(opened?.problems).toEqual([]);
  await opened?.close();
});

/** Opens a page, chooses its backend, and returns the report, and what the page can do with it. */
async function choose(given: Parameters<HalfPrecision['choose']>[0]) {
  opened = await openPage(program);
  const { page } = opened;
  const warned: string[] = [];
  page.on('console', (message) => {
    if (message.text().startsWith('[transferkit]')) warned.push(message.text());
  });
  await page.waitForFunction('window.halfPrecision !== undefined');
  const report = await page.evaluate((what) => window.halfPrecision!.choose(what), given);
  const train = () => page.evaluate(() => window.halfPrecision!.train());
  return { report, warned, train };
}

test('a webgl of 16 bits is told by the report, the console once, and the training log', async () => {
  const { report, warned, train } = await choose({ isHalf: true, backend: 'webgl' });
  expect(report.name).toBe('webgl');
  expect(report.notes).toEqual([expect.stringMatching(noted)]);
  const { warnings = [] } = await train();
  expect(warnings).toContain(report.notes[0]);
  expect(warned).toEqual([`[transferkit] useBackend: ${report.notes[0]!}.`]);
}, 180_000);

test('a webgl of 32 bits is not', async () => {
  const { report, warned, train } = await choose({ isHalf: false, backend: 'webgl' });
  expect(report).toMatchObject({ name: 'webgl', notes: [] });
  const { warnings = [] } = await train();
  expect(warnings.join()).not.toContain('16 bits');
  expect(warned).toEqual([]);
});

test.each([
  [true, 'wasm'],
  [false, 'webgl'],
])('on a graphics card whose webgl has 16 bits (%s) the default is %s', async (isHalf, name) => {
  const { report } = await choose({ isHalf, renderer: 'Mali-T830' });
  expect(report.name).toBe(name);
  const reason = report.tried.find((each) => each.name === 'webgl')?.reason ?? '';
  expect(reason.includes('webgl computes with 16 bits')).toBe(isHalf);
});
