// Processes that are killed while they train, as test/acceptance/kill.js does more often.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { runFresh, startFresh } from '../support/freshProcess.ts';

const script = readFileSync(fileURLToPath(new URL('../support/killedRun.js', import.meta.url)), 'utf8');
const root = mkdtempSync(join(tmpdir(), 'transferkit-kill-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

interface Ended {
  /** Rows of 144 that were done when the process began. */
  readonly first: number;
  readonly result: unknown;
}

async function runToEnd(folder: string): Promise<Ended> {
  const lines = (await runFresh(script, [folder, 'wasm'])).trim().split('\n');
  return JSON.parse(lines.at(-1)!) as Ended;
}

/** Starts the run and kills it soon after it prints something. */
async function killAfter(folder: string, printed: string): Promise<void> {
  const child = await startFresh(script, [folder, 'wasm']);
  let text = '';
  for await (const piece of child.stdout!) if ((text += String(piece)).includes(printed)) break;
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

test('kill -9 at some moments, and a resume after each: weights, optimizer state and log end as without', async () => {
  const plain = await runToEnd(join(root, 'plain'));
  const folder = join(root, 'killed');
  for (const printed of [...(isThorough ? ['head 20 of', 'fineTune 20 of 144'] : []), 'fineTune 96 of 144'])
    await killAfter(folder, printed);
  const { first, result } = await runToEnd(folder);
  expect(result).toEqual(plain.result);
  expect(plain.first).toBe(0);
  expect(first).toBeGreaterThanOrEqual(88);
});
