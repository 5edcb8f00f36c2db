// One job of the protocol: a head is solved for on one draw, and every setting fine-tunes from there. Run by run.js.
import { evaluate, fineTune, replaceHead, trainHead, useBackend } from 'transferkit';
import { settings } from './settings.js';
import { draw, sets } from './sets.js';

/** Epochs after which the loss of the training pictures is measured, without augmentation and dropout. */
const watchedEpochs = 3;

process.on('message', async (job) => {
  try {
    await useBackend('wasm', { threads: 1 });
    await runJob(job, (row) => process.send({ row }));
    process.exit(0);
  } catch (error) {
    console.error(job, error);
    process.exit(1);
  }
});

/** Reports one row for each setting. */
async function runJob({ set, few, seed, fit, names }, report) {
  const { train, held } = await draw(set, { few, seed, fit });
  const newModel = async () => replaceHead(await sets[set].base(), { labels: train.labels, seed });
  const solved = await newModel();
  const { seconds } = await trainHead(solved, train, { seed });
  const head = { ...(await figures(solved, held)), trainLoss: (await evaluate(solved, train)).loss, seconds };
  solved.dispose();
  for (const name of names) {
    const model = await newModel();
    report({ set, few, seed, fit, name, head, ...(await tuned(model, { name, train, held, seed, head })) });
    model.dispose();
  }
}

async function tuned(model, { name, train, held, seed, head }) {
  const ratios = [];
  let measuring = 0;
  let { trainLoss } = head;
  const onEpoch = async ({ phase }) => {
    if (ratios.length === watchedEpochs) return;
    const startedAt = performance.now();
    const { loss } = await evaluate(model, train);
    if (phase === 'fineTune') ratios.push(loss / trainLoss);
    else trainLoss = loss;
    measuring += (performance.now() - startedAt) / 1000;
  };
  const log = await fineTune(model, train, { seed, ...settings[name]({ examples: train.size }), onEpoch });
  const { blend, heldOut = 0 } = log;
  return { ...(await figures(model, held)), ratios, trainLoss, blend, heldOut, seconds: log.seconds - measuring };
}

async function figures(model, samples) {
  const { accuracy, loss, examples } = await evaluate(model, samples);
  return { accuracy, loss, examples };
}
