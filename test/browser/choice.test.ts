// The backend that a page gets without asking for one.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openPage } from './harness.ts';

const program = fileURLToPath(new URL('choicePage.ts', import.meta.url));
const gpuPackages = ['webgpu', 'webgl'].map((name) => `@tensorflow/tfjs-backend-${name}`);

async function choose(missing: readonly string[]) {
  const opened = await openPage(program, false, { missing });
  const { page } = opened;
  await page.waitForFunction('window.choice !== undefined');
  const found = await page.evaluate(async () => window.choice?.());
  await opened.close();
  if (found === undefined) throw new Error('the page has no choice()');
  return found;
}

test('a page that draws in software gets wasm, and is told why', async () => {
  const { report, asked } = await choose([]);
  expect(report.name).toBe('wasm');
  expect(report.tried.map(({ name }) => name)).toEqual(['webgpu', 'webgl']);
  for (const { reason } of report.tried) expect(reason).toMatch(/draws in software \(.*swiftshader.*\)/i);
  expect(new Set(asked)).toEqual(new Set(['adapter', 'context']));
});

test('a graphics card is not asked for anything by a page without the packages for it', async () => {
  const { report, asked } = await choose(gpuPackages);
  expect(report.name).toBe('wasm');
  expect(report.tried.map(({ reason }) => reason)).toEqual(
    gpuPackages.map((name) => `its package is not installed: npm install ${name}`),
  );
  expect(asked).toEqual([]);
});
