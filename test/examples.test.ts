// The examples, cut short: each runs, and a base that knows pictures beats chance.
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { isThorough } from './support/thorough.ts';

/** Runs an example; gives its figures and what it printed. */
async function run(name: string, options: object): Promise<{ figures: Record<string, number>; printed: string[] }> {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line?: string) => void printed.push(line ?? ''));
  const progress = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const path = fileURLToPath(new URL(`../examples/${name}.js`, import.meta.url));
  const { main } = (await import(/* @vite-ignore */ path)) as {
    main: (options: object) => Promise<Record<string, number>>;
  };
  const figures = await main(options).finally(() => {
    log.mockRestore();
    progress.mockRestore();
  });
  return { figures, printed };
}

test('the quickstart learns, and ends with its figures', { timeout: 120_000 }, async () => {
  const { figures, printed } = await run('quickstart', { epochs: 1, inputSize: 64 });
  const { seen, unseen } = figures;
  // Four classes; the largest holds 36 % of the pictures.
  expect(seen).toBeGreaterThan(0.6);
  expect(unseen).toBeGreaterThan(0.6);
  expect(printed.at(-1)).toMatch(/^\n?held-out accuracy 0\.\d\d seen, 0\.\d\d unseen \(274 images\), \d+ s$/);
});

type Example = [name: string, options: object, least: Record<string, number>, lastLine: RegExp];

const quick: Example[] = [
  ['binary', { every: 2 }, { accuracy: 0.8 }, /^\n?accuracy 0\.\d\d, loss .* \(90 images of unseen concepts\), \d+ s$/],
  [
    'several-outputs',
    { every: 5, inputSize: 64 },
    { kind: 0.6, artist: 0.6, covered: 0.3 },
    /^\n?accuracy of kinds 0\.\d\d, of artists/,
  ],
];
const slow: Example[] = [
  [
    'multi-label',
    { pictures: 100, inputSize: 64 },
    { accuracy: 0.6 },
    /^\n?right decisions 0\.\d\d, mean F1 0\.\d\d \(150 images\)/,
  ],
  [
    'regression',
    { pictures: 100, inputSize: 64 },
    { size: 0.6, lightness: 0.6 },
    /\(150 images of unseen concepts\), \d+ s$/,
  ],
  [
    'compare',
    { epochs: 1, inputSize: 48 },
    { transfer: 0.5, neighbours: 0.5 },
    /^held-out accuracy of each epoch above; 90 images of unseen concepts/,
  ],
];

test.each([...quick, ...(isThorough ? slow : [])])(
  'the example of %s learns',
  { timeout: 120_000 },
  async (name, options, least, text) => {
    const { figures, printed } = await run(name, options);
    for (const [figure, value] of Object.entries(least)) expect(figures[figure], figure).toBeGreaterThan(value);
    expect(printed.at(-1)).toMatch(text);
  },
);
