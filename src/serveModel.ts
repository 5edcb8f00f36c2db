// The verb serveModel: a model as a small HTTP service.
import { bytesOfBase64 } from './core/base64.ts';
import { nameErrors } from './core/edge.ts';
import { TransferKitError } from './core/errors.ts';
import { invalidOption } from './core/optionChecks.ts';
import { load } from './load.ts';
import { assertAlive } from './model/assertAlive.ts';
import type { AnyModel, LoadedModel } from './model/model.ts';
import { predict } from './predict.ts';
import type { PredictBytes } from './serve/routes.ts';
import { settleService, type ServeModelOptions, type ServiceSettings } from './serve/serviceOptions.ts';
import { startService, type ModelService } from './serve/startService.ts';

/**
 * Serves a model of pictures over HTTP, for programs of this computer unless `host` is given.
 *
 * `POST /predict` takes the bytes of one picture (`Content-Type: image/*` or `application/octet-stream`) and answers
 * `{ "predictions": … }` with what `predict` gives. `GET /health` answers 200 with `{ "status": "ok", "running": …,
 * "waiting": … }`. Anything else is refused with a status and `{ "error": { "code": …, "message": … } }`; docs/serving.md
 * lists them. Nothing of a request is taken as a path or an address.
 *
 * @param model - A model, which stays the caller's, or what `load` takes as text: the path or address of a saved model,
 * which is freed when the service ends.
 * @param options - See {@link ServeModelOptions}.
 * @returns The service, once it listens.
 * @throws TransferKitError `INVALID_OPTION`, also for a port that is in use and a model of other inputs than pictures;
 * `ABORTED`; the codes of `load` and `predict`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * const service = await serveModel(model, { port: 0, topK: 1 });
 * const answer = await fetch(`${service.url}/predict`, {
 *   method: 'POST',
 *   headers: { 'Content-Type': 'image/jpeg' },
 *   body: await readFile('cat.jpg'),
 * });
 * console.log(await answer.json()); // { predictions: [ { label: …, probability: … } ] }
 * await service.close();
 * ```
 */
export async function serveModel(
  model: AnyModel | LoadedModel | string,
  options: ServeModelOptions = {},
): Promise<ModelService> {
  return nameErrors('serveModel', async () => {
    const settings = settleService(options);
    const { pictures, signal } = options;
    if (typeof model === 'string') {
      const source = { ...(pictures === undefined ? {} : { pictures }), ...(signal === undefined ? {} : { signal }) };
      const loaded = await load(model, source);
      return serveUntilEnd(loaded, settings, options, () => {
        loaded.dispose();
      });
    }
    if (pictures !== undefined)
      throw invalidOption('pictures for a path only: a model in memory has its own', pictures);
    return serveUntilEnd(model, settings, options, () => undefined);
  });
}

/** Serves a model. It is released at the end, and where the service does not start. */
async function serveUntilEnd(
  model: AnyModel,
  settings: ServiceSettings,
  { topK, signal }: ServeModelOptions,
  release: () => void,
): Promise<ModelService> {
  try {
    assertPictures(model);
    const predictBytes: PredictBytes = async (bytes) => predict(model, bytes, topK === undefined ? {} : { topK });
    // What is missing for predictions, such as a package that decodes pictures, is reported now.
    await predictBytes(bytesOfBase64(onePixel));
    if (signal?.aborted === true)
      throw new TransferKitError('ABORTED', 'was stopped by its signal.', {}, signal.reason);
    const service = await startService(settings, predictBytes);
    let ended: Promise<void> | undefined;
    const end = async (): Promise<void> => (ended ??= service.close().finally(release));
    const onAbort = (): void => void end();
    signal?.addEventListener('abort', onAbort, { once: true });
    return {
      url: service.url,
      close: async () => {
        signal?.removeEventListener('abort', onAbort);
        await end();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** A gray PNG. */
const onePixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQImWNoaGgAAAMEAYEezv+mAAAAAElFTkSuQmCC';

function assertPictures(model: AnyModel): void {
  assertAlive(model);
  const { base } = model;
  const { kind } = base.preprocessor.spec;
  if (kind === 'tensor') {
    const text = `expected a model of pictures, got '${base.name}', whose inputs are tensors. Give preprocess to loadBase or load.`;
    throw new TransferKitError('INVALID_OPTION', text, { name: base.name, kind });
  }
}
