// Memory of cached features: 10,000 examples of 1280 values in memory, and 100,000 of which most are in a file. Each figure
// comes from a fresh process. Run: npm run build && node bench/featureMemory.js
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('measureFeatures.js', import.meta.url));

const cases = {
  'float32 in memory': { examples: 10_000, cache: true },
  'float16 in memory': { examples: 10_000, cache: { precision: 'float16' } },
  'float32, budget of 128 MB': { examples: 100_000, cache: { memory: 128e6 } },
  'float16, budget of 128 MB': { examples: 100_000, cache: { memory: 128e6, precision: 'float16' } },
  'float32, all in a file': { examples: 100_000, cache: { memory: 0 } },
};

/**
 * Figures by name, in bytes and seconds: `before`, the resident size of a process that has trained with no features in memory;
 * `kept`, what is added when all features are there, garbage aside; `peak`, the most that is ever added, garbage and the
 * memory of the epoch included.
 */
export function featureMemory() {
  return Object.fromEntries(
    Object.entries(cases).map(([name, { examples, cache }]) => {
      const stdio = ['ignore', 'pipe', 'ignore'];
      const given = [script, String(examples), JSON.stringify(cache)];
      return [name, JSON.parse(execFileSync(process.execPath, given, { encoding: 'utf8', stdio }))];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  for (const [name, { examples, before, kept, peak, seconds, epochSeconds }] of Object.entries(featureMemory())) {
    console.log(
      `${name}: ${examples} examples take ${megabytes(kept)}, at most ${megabytes(peak)}, above ${megabytes(before)}; ` +
        `${seconds.toFixed(1)} s, of which one epoch ${epochSeconds.toFixed(1)} s`,
    );
  }
}
