// Files for the user: the trained model as an archive, and the features of all pictures.
import { zipDownload } from 'transferkit/browser';
import { connected } from './kit.ts';
import { current } from './state.ts';
import { trainedModel } from './trainedModel.ts';
import { samplesOf } from './training.ts';

/** Downloads the model as `name.zip`. */
export async function downloadModel(name: string): Promise<void> {
  const [kit, model] = [await connected(), await trainedModel()];
  await kit.save(model, zipDownload(name));
}

/** Downloads what the base sees in each picture, with its label, as `name-features.json`. */
export async function downloadFeatures(name: string): Promise<void> {
  const [kit, model] = [await connected(), await trainedModel()];
  const classifier = await kit.knn(model.base);
  try {
    await classifier.addAll(samplesOf(current()));
    const text = JSON.stringify(await classifier.toJSON());
    download(new Blob([text], { type: 'application/json' }), `${name}-features.json`);
  } finally {
    classifier.dispose();
  }
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Some browsers read it after the click.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 60_000);
}
