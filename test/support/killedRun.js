// A run that a test kills and starts again: fineTune with checkpoints on a small network. Prints where it is, and at the end
// a line of JSON with everything that must not depend on the kills.
// Arguments: folder for checkpoints, backend, epochs.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { fineTune, fromArrays, loadBase, replaceHead, useBackend } from 'transferkit';

const [, , folder, backend, epochs = '4'] = process.argv;
await useBackend(backend, { threads: 2 });
const model = replaceHead(await loadBase(network(), { cut: 'relu3' }), {
  labels: ['high', 'low'],
  hidden: [8],
  dropout: 0.3,
});
let first;
const log = await fineTune(model, samples(), {
  epochs: Number(epochs),
  headEpochs: 1,
  batchSize: 4,
  learningRate: { head: 1e-3, base: [1e-4, 1e-3] },
  unfreeze: [
    { epoch: 0, lastStages: 1 },
    { epoch: 1, lastStages: 2 },
  ],
  validation: 0.25,
  gradientAccumulationSteps: 2,
  ema: { decay: 0.9 },
  checkpoint: { to: folder, every: { steps: 1 } },
  resume: true,
  onProgress: ({ phase, done, total }) => {
    console.log(`${phase} ${done} of ${total}`);
    if (phase === 'fineTune') first ??= done;
  },
});
const weights = [...model.base.trunk.weights, ...model.head.trunk.weights];
console.log(
  JSON.stringify({
    first,
    result: {
      weights: hashOf(weights.map(({ variable }) => variable.dataSync())),
      checkpoint: hashOf([lastTensors()]),
      history: JSON.parse(JSON.stringify(model.history, (key, value) => (key === 'seconds' ? undefined : value))),
      warnings: log.warnings ?? [],
    },
  }),
);

/** Three convolutions with BatchNorm, weights drawn by a seed. */
function network() {
  const built = sequential({ name: 'small' });
  const draw = (seed) => initializers.heNormal({ seed });
  for (const [i, filters] of [8, 12, 16].entries()) {
    const inputShape = i === 0 ? { inputShape: [16, 16, 3] } : {};
    const sizes = { filters, kernelSize: 3, strides: i === 1 ? 2 : 1, padding: 'same' };
    built.add(layers.conv2d({ ...inputShape, ...sizes, kernelInitializer: draw(i + 1), name: `conv${i + 1}` }));
    built.add(layers.batchNormalization({ name: `norm${i + 1}` }));
    built.add(layers.reLU({ name: `relu${i + 1}` }));
  }
  built.add(layers.globalAveragePooling2d({ name: 'pool' }));
  built.add(layers.dense({ units: 3, kernelInitializer: draw(9), name: 'classifier' }));
  return built;
}

/** Waves of two lengths. */
function samples() {
  const targets = Array.from({ length: 48 }, (_, i) => (i % 2 === 0 ? 'low' : 'high'));
  const inputs = targets.map((target, i) =>
    Float32Array.from({ length: 768 }, (_, j) => Math.sin(i * 1.3 + j * (target === 'low' ? 0.11 : 0.7))),
  );
  return fromArrays({ inputs, targets });
}

/** Weights, optimizer state, averages and best weights as the last checkpoint has them. */
function lastTensors() {
  const bytes = readFileSync(join(folder, readdirSync(folder).sort().at(-1)));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
}

function hashOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
