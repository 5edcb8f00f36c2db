// kill -9 at 20 random moments of a run that writes checkpoints, each time from the beginning and then resumed to the end:
// weights, optimizer state, averages and log must be those of a run that nobody killed. Needs the package built.
// node test/acceptance/kill.js [times] [backend]
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const script = fileURLToPath(new URL('../support/killedRun.js', import.meta.url));
const [, , times = '20', backend = 'wasm'] = process.argv;
const epochs = '24';
const root = mkdtempSync(join(tmpdir(), 'transferkit-kill-'));
let failures = 0;
try {
  const { result: plain, milliseconds } = await run(join(root, 'plain'));
  console.log(`a run that nobody kills takes ${(milliseconds / 1000).toFixed(1)} s on ${backend}`);
  for (let time = 1; time <= Number(times); time++) await killOnce(time, plain, milliseconds);
} finally {
  rmSync(root, { recursive: true });
}
console.log(failures === 0 ? `all ${times} ended with the same bits` : `${failures} of ${times} ended otherwise`);
process.exitCode = failures === 0 ? 0 : 1;

/** Kills a run at some moment, resumes it, and compares. */
async function killOnce(time, plain, milliseconds) {
  const folder = mkdtempSync(join(root, `${time}-`));
  const after = Math.random() * milliseconds;
  if ((await run(folder, after)) !== undefined) return killOnce(time, plain, milliseconds); // it was faster
  const left = readdirSync(folder);
  const { first, result } = await run(folder);
  const same = isDeepStrictEqual(result, plain);
  if (!same) failures++;
  const began = first === undefined ? 'was over' : `went on from row ${first}`;
  console.log(
    `${same ? 'ok  ' : 'FAIL'} ${time}: killed after ${after.toFixed(0)} ms, with ${left.join(', ') || 'nothing'}; ${began}`,
  );
  rmSync(folder, { recursive: true });
}

/** Runs to the end, or to a kill some milliseconds after its first words; gives what it printed last, and how long it took. */
function run(folder, killAfter) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, folder, backend, epochs], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let start;
    child.stdout.on('data', (piece) => {
      text += piece;
      if (start === undefined && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter).unref();
      start ??= performance.now();
    });
    child.on('close', (code, signal) => {
      const milliseconds = performance.now() - start;
      if (signal === 'SIGKILL') resolve(undefined);
      else if (code === 0) resolve({ ...JSON.parse(text.trim().split('\n').at(-1)), milliseconds });
      else reject(new Error(`the run ended with ${code ?? signal}`));
    });
  });
}
