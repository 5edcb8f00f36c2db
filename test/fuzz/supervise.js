// Runs a reader in child processes, with limits of time and memory, and goes on behind whatever ended one of them.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('child.js', import.meta.url));

/** A hang is 20 s on the processor; an input that waits without working is given a minute. */
export const usualLimits = { seconds: 20, idleSeconds: 60, megabytes: 1500, interval: 250 };

/**
 * Feeds mutations to a reader until `to` or `until` is reached.
 *
 * @param task - `{ readers, reader, seed, from, to, until, failures, limits }`; `readers` is a module's file URL.
 * @returns One result for each mutation, in order.
 */
export async function supervise(task) {
  const results = [];
  let from = task.from;
  for (;;) {
    const { found, problem } = await runChild({ ...task, from });
    results.push(...found);
    if (problem === undefined) return results;
    from = (found.at(-1)?.number ?? from - 1) + 1;
    // The child died of an input that it could not tell about.
    if (!problem.isTold) results.push({ number: from++, ...problem.result });
    const last = results.at(-1);
    await runChild({ ...task, from: last.number, to: last.number + 1, until: Infinity, keepOnly: true });
    if (from >= task.to || Date.now() >= task.until) return results;
  }
}

/** Reads one input that was written down. */
export async function replay(task) {
  const { found, problem } = await runChild(task);
  return found.at(-1) ?? problem.result;
}

async function runChild(task) {
  const folder = mkdtempSync(join(tmpdir(), 'transferkit-fuzz-'));
  const work = join(folder, 'work');
  mkdirSync(work);
  const files = ['out', 'error', 'results'].map((name) => openSync(join(folder, name), 'a+'));
  // Infinity is not JSON.
  const until = Math.min(task.until ?? Infinity, Number.MAX_SAFE_INTEGER);
  const text = JSON.stringify({ ...task, until, folder: work });
  const options = [`--max-old-space-size=${task.limits.megabytes}`, '--no-warnings', child, text];
  const running = spawn(process.execPath, options, { stdio: ['ignore', ...files] });
  const [code, signal] = await new Promise((resolve) => {
    running.on('close', (...ended) => resolve(ended));
  });
  files.forEach((file) => closeSync(file));
  const lines = readFileSync(join(folder, 'results'), 'utf8').split('\n');
  const told = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
  const found = told.filter(({ isDone }) => !isDone);
  const errors = readFileSync(join(folder, 'error'), 'utf8');
  rmSync(folder, { recursive: true, force: true });
  if (told.at(-1)?.isDone) return { found };
  if (code === 5 || (found.length === 0 && code === 1)) throw new Error(`${task.reader} cannot be run:\n${errors}`);
  return { found, problem: problemOf(code, signal, found.at(-1), errors) };
}

function problemOf(code, signal, last, errors) {
  if (['hang', 'memory', 'crash'].includes(last?.end)) return { isTold: true };
  // Node's word for a program whose promise never settles.
  if (code === 13) return { isTold: false, result: { end: 'hang', text: 'its promise never settles' } };
  const how = signal ?? `exit code ${code}`;
  return {
    isTold: false,
    result: { end: 'crash', text: `${how}: ${errors.trim().split('\n').slice(-4).join(' ').slice(0, 300)}` },
  };
}
