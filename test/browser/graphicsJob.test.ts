// The whole job with MobileNetV1 0.25 at 224² on webgl and webgpu: it ends, and its numbers are those of wasm. Programs
// are compiled and run in software here, which takes minutes.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { openPage, type OpenPage } from './harness.ts';
import type { GraphicsJob } from './graphicsJobPage.ts';

describe.runIf(isThorough)('MobileNet at full size', () => {
  let opened: OpenPage;
  let wasm: GraphicsJob;

  beforeAll(async () => {
    opened = await openPage(fileURLToPath(new URL('graphicsJobPage.ts', import.meta.url)));
    await opened.page.waitForFunction('window.graphicsJob !== undefined');
    wasm = await run('wasm');
  }, 300_000);

  afterAll(async () => {
    expect(opened.problems).toEqual([]);
    await opened.close();
  });

  const run = (backend: string): Promise<GraphicsJob> =>
    opened.page.evaluate((name) => window.graphicsJob!(name), backend);

  test.each(['webgl', 'webgpu'])(
    'does the whole job on %s',
    async (backend) => {
      const job = await run(backend);
      expect(job).toMatchObject({ backend, tensorsLeft: 0 });
      expectNear(job.losses, wasm.losses);
      const [before, loaded] = job.probabilities;
      expectNear(before!, wasm.probabilities[0]!);
      expectNear(loaded!, before!);
    },
    600_000,
  );
});

function expectNear(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 3);
  });
}
