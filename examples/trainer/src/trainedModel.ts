// The trained model in the worker: held, or loaded again after a reload or a lost worker.
import type { RemoteModel } from 'transferkit/worker';
import { connected, wasLost } from './kit.ts';

/** Where the browser keeps the model. */
export const modelAddress = 'indexeddb://transferkit-trainer-model';

/** A prediction, the most probable label first. */
export interface Answer {
  readonly label: string;
  readonly probability: number;
}

let held: Promise<RemoteModel<'classes'>> | undefined;

/** Keeps a model that was just trained. */
export function holdModel(model: RemoteModel<'classes'>): void {
  held = Promise.resolve(model);
}

/** Frees the model in the worker. */
export function forgetModel(): void {
  held?.then(
    (model) => {
      model.dispose();
    },
    () => undefined,
  );
  held = undefined;
}

/** The model, and from the browser's storage if the worker does not have it. */
export function trainedModel(): Promise<RemoteModel<'classes'>> {
  return (held ??= load().catch((error: unknown) => {
    held = undefined;
    throw error;
  }));
}

async function load(): Promise<RemoteModel<'classes'>> {
  return (await connected()).load(modelAddress, { task: 'classes' });
}

/** What the model sees in a picture or canvas. */
export async function recognise(input: Blob | HTMLCanvasElement): Promise<readonly Answer[]> {
  try {
    const [kit, model] = [await connected(), await trainedModel()];
    return await kit.predict(model, input);
  } catch (error) {
    if (wasLost(error)) held = undefined;
    throw error;
  }
}
