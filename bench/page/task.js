// The same task for Node and for a worker of a page: a head on 300 pictures, with MobileNet 0.25 at 224 × 224.
export const task = { count: 300, labels: ['a', 'b', 'c', 'd'], rounds: 3 };

const baseOptions = { alpha: 0.25, inputSize: 224, weights: null, preprocess: 'tf' };

export const targets = Array.from(
  { length: task.count },
  (_, i) => task.labels[Math.floor((i * task.labels.length) / task.count)],
);

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * Seconds for the head: features of all pictures, and the solver.
 *
 * @param verbs - Those of transferkit, or of a worker.
 * @param samples - Of the pictures.
 */
export async function secondsForHead(verbs, samples) {
  const base = await verbs.loadBase('mobilenet', baseOptions);
  const model = await verbs.replaceHead(base, { labels: task.labels });
  const start = performance.now();
  await verbs.trainHead(model, samples);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, model };
}
