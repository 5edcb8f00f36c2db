// How long trainHead takes for heads of many labels, on synthetic features in clusters: seconds, the chosen penalty, and
// the accuracy on other examples. Run: node test/acceptance/solver.js [labels x examples of each …], such as 1000x20, after
// `npm run build`.
import { input, layers, model as makeModel } from '@tensorflow/tfjs-layers';
import { evaluate, fromArrays, loadBase, replaceHead, trainHead, useBackend } from 'transferkit';

const width = Number(process.env.WIDTH ?? 1280);
const tested = 4;
const given = process.argv.slice(2);
const sizes = (given.length === 0 ? ['100x5', '100x50', '1000x20'] : given).map((size) => size.split('x').map(Number));

await useBackend();
for (const [labels, each] of sizes) await report(labels, each);

async function report(count, each) {
  const labels = Array.from({ length: count }, (_, label) => `label ${label}`);
  const draw = clusters(labels);
  const model = await vectorHead(labels);
  const train = draw(each, 1);
  const start = performance.now();
  const log = await trainHead(model, train, { batchSize: 256 });
  const seconds = (performance.now() - start) / 1000;
  const { accuracy } = await evaluate(model, draw(tested, 2), { batchSize: 256 });
  const { epochs, method, reason, solver } = log;
  console.log(
    JSON.stringify({
      labels: count,
      each,
      width,
      seconds: Number(seconds.toFixed(1)),
      accuracy,
      method,
      reason,
      solver,
    }),
    JSON.stringify({ loss: epochs.at(-1)?.loss, megabytes: Math.round(process.resourceUsage().maxRSS / 1024) }),
  );
  model.dispose();
}

/** Examples of each label near its centre, in few dimensions, as a rectified random layer shows them. */
function clusters(labels) {
  const latent = 64;
  const random = generator(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const list = (length, size) => Float64Array.from({ length }, () => size * normal());
  const centres = labels.map(() => list(latent, 1));
  const layer = Array.from({ length: width }, () => list(latent, 1 / Math.sqrt(latent)));
  return (each) => {
    const inputs = [];
    const targets = [];
    labels.forEach((label, place) => {
      for (let i = 0; i < each; i++) {
        const point = centres[place].map((value) => value + Number(process.env.NOISE ?? 1.3) * normal());
        inputs.push(
          Float32Array.from(layer, (weights) => {
            let sum = 0.3 * normal();
            for (let j = 0; j < latent; j++) sum += weights[j] * point[j];
            return Math.max(0, sum);
          }),
        );
        targets.push(label);
      }
    });
    return fromArrays({ inputs, targets, labels });
  };
}

/** A head on features that are the inputs themselves. */
async function vectorHead(labels) {
  const start = input({ shape: [width], name: 'vector' });
  const same = layers.activation({ activation: 'linear', name: 'same' }).apply(start);
  const base = await loadBase(makeModel({ inputs: start, outputs: same }), { cut: 'same' });
  return replaceHead(base, { labels });
}

/** Uniform numbers in [0, 1): mulberry32. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
