// The quickstart, cut short: every example runs, and a base that knows pictures beats chance after two epochs.
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';

interface Quickstart {
  readonly main: (options: { headEpochs: number; epochs: number }) => Promise<{ seen: number; unseen: number }>;
}

test('the quickstart learns, and ends with its figures', { timeout: 120_000 }, async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  const progress = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const path = fileURLToPath(new URL('../examples/quickstart.js', import.meta.url));
  const { main } = (await import(/* @vite-ignore */ path)) as Quickstart;
  const { seen, unseen } = await main({ headEpochs: 5, epochs: 1 }).finally(() => {
    log.mockRestore();
    progress.mockRestore();
  });
  // Four classes; the largest holds 36 % of the pictures.
  expect(seen).toBeGreaterThan(0.6);
  expect(unseen).toBeGreaterThan(0.6);
  expect(printed.at(-1)).toMatch(/^\n?held-out accuracy 0\.\d\d seen, 0\.\d\d unseen \(274 images\), \d+ s$/);
});
