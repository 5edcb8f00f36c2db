// The verb connectTransferKit: the verbs of a worker, for its page.
import type { io } from '@tensorflow/tfjs-core';
import { platform } from '#platform';
import type { BaseSource } from './bases/readSource.ts';
import type { blend } from './blend.ts';
import type { CalibrateOptions, CalibrationOf } from './calibrate.ts';
import type { CompareOptions, Comparison } from './compare.ts';
import { disposal } from './core/disposal.ts';
import { nameErrors } from './core/edge.ts';
import type { WorkerLike } from './core/endpoint.ts';
import { assertRate, assertWhole } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import type { Samples } from './core/types.ts';
import type { EvaluateOptions, EvaluationOf } from './evaluate.ts';
import type { exportModel } from './exportModel.ts';
import type { findLearningRate } from './findLearningRate.ts';
import type { fineTune } from './fineTune.ts';
import type { FineTuneOptions } from './training/options/fineTuneOptions.ts';
import type { freeze, unfreeze } from './freeze.ts';
import type { knn } from './knn.ts';
import type { LoadOptions } from './load.ts';
import type { LoadBaseOptions } from './loadBase.ts';
import type { Tasks } from './model/model.ts';
import type { Predicted } from './model/predictions.ts';
import type { PredictOptions } from './predict.ts';
import type { TaskName } from './model/tasks/tasks.ts';
import type { nearestCentroid } from './nearestCentroid.ts';
import type { PresetName } from './presets/presetTable.ts';
import type { previewAugmentation } from './previewAugmentation.ts';
import type { HeadOptions, NamedHead, SeveralHeadsOptions, TasksOf, Unmixed } from './replaceHead.ts';
import type { ServedVerb } from './serveTransferKit.ts';
import type { suggestCut } from './suggestCut.ts';
import type { trainHead } from './trainHead.ts';
import type { ThresholdsOf, TuneThresholdsOptions } from './tuneThresholds.ts';
import type { useBackend } from './useBackend.ts';
import type { writeBase } from './writeBase.ts';
import { connect, type Connection } from './worker/connect.ts';
import { repeat } from './worker/repeat.ts';
import type { Remote, RemoteBase, RemoteClassifier, RemoteLoadedModel, RemoteModel } from './worker/standIns.ts';

/** What a worker can load: names, addresses, bytes, and handlers of the page such as `tf.io.browserFiles(files)`. */
export type RemoteSource = Extract<BaseSource, string | URL | Uint8Array | io.IOHandler>;

/** Functions that a worker serves beside the verbs, as `serveTransferKit` got them. */
export type OwnFunctions = Readonly<Record<string, (...args: never) => unknown>>;

/** Options of {@link connectTransferKit}. */
export interface ConnectOptions {
  /** How long the worker may take to start, in seconds. Default 60. */
  readonly seconds?: number;
}

/** Options of {@link RemoteTransferKit.predictLive}. */
export interface PredictLiveOptions extends Omit<PredictOptions, 'batchSize'> {
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal;
  /** Most predictions a second. Default 30. */
  readonly maxPerSecond?: number;
}

/** A contestant of `compare`. */
export type RemoteContestant =
  | RemoteModel<TaskName>
  | { readonly model: RemoteModel<TaskName>; readonly options?: FineTuneOptions }
  | RemoteClassifier;

/**
 * The verbs in a worker. Each is the verb of the same name, with these differences: it returns a promise; bases, models and
 * classifiers are stand-ins for those in the worker; elements of a page (images, canvases, videos) are sent as they look at
 * the moment of the call.
 *
 * Samples stay in the page: targets are sent, and each input when it is read. Signals, progress and callbacks work as
 * usual. Errors have their code and details, and an error that a callback throws comes back as it was.
 *
 * Some values cannot be sent: custom losses, schedules, optimizers and preprocessors; heads and models in memory; tensors.
 * They raise `INVALID_OPTION`. Make them in the worker, in a function of your own.
 */
export interface RemoteTransferKit<Own extends OwnFunctions = OwnFunctions> extends Disposable {
  /** As `useBackend`. */
  useBackend: Remote<typeof useBackend>;
  /** As `loadBase`. */
  loadBase(source: RemoteSource, options?: LoadBaseOptions): Promise<RemoteBase>;
  /** As `load`. */
  load<T extends TaskName | Tasks>(
    source: RemoteSource,
    options: LoadOptions<T> & { readonly task: T },
  ): Promise<RemoteModel<T>>;
  /** As `load`. */
  load(source: PresetName, options?: LoadOptions): Promise<RemoteModel<'classes'>>;
  /** As `load`. */
  load(source: RemoteSource, options?: LoadOptions): Promise<RemoteLoadedModel>;
  /** As `save`. */
  save(model: RemoteModel, target: io.IOHandler | string | URL): Promise<void>;
  /** As `replaceHead`. */
  replaceHead<Heads extends Readonly<Record<string, NamedHead>>>(
    base: RemoteBase,
    options: SeveralHeadsOptions<Heads>,
  ): Promise<RemoteModel<TasksOf<Heads>>>;
  /** As `replaceHead`. */
  replaceHead<T extends TaskName = 'classes', const Label extends string = string>(
    base: RemoteBase,
    options: HeadOptions<T, Label> & Unmixed<T>,
  ): Promise<RemoteModel<T, Label>>;
  /** As `freeze`. */
  freeze: Remote<typeof freeze>;
  /** As `unfreeze`. */
  unfreeze: Remote<typeof unfreeze>;
  /** As `trainHead`. */
  trainHead: Remote<typeof trainHead>;
  /** As `fineTune`. */
  fineTune: Remote<typeof fineTune>;
  /** As `findLearningRate`. */
  findLearningRate: Remote<typeof findLearningRate>;
  /** As `evaluate`. */
  evaluate<T extends TaskName | Tasks>(
    model: RemoteModel<T>,
    samples: Samples,
    options?: EvaluateOptions,
  ): Promise<EvaluationOf<T>>;
  /** As `evaluate`. */
  evaluate(
    model: RemoteLoadedModel,
    samples: Samples,
    options?: EvaluateOptions,
  ): Promise<EvaluationOf<TaskName> | EvaluationOf<Tasks>>;
  /** As `predict`. */
  predict<T extends TaskName | Tasks, Input, Label extends string = string>(
    model: RemoteModel<T, Label>,
    input: Input,
    options?: PredictOptions,
  ): Promise<Predicted<T, Input, Label>>;
  /** As `predict`. */
  predict<Input>(
    model: RemoteLoadedModel,
    input: Input,
    options?: PredictOptions,
  ): Promise<Predicted<TaskName, Input> | Predicted<Tasks, Input>>;
  /**
   * Predicts what an element shows, again and again: a video or a canvas. Each frame is taken when the prediction before
   * has been used, so that none wait. The loop ends with `break` or the signal.
   *
   * @example
   * ```ts
   * import type { RemoteModel, RemoteTransferKit } from 'transferkit/worker';
   *
   * async function watch(kit: RemoteTransferKit, model: RemoteModel<'classes'>, signal: AbortSignal) {
   *   const video = document.querySelector('video');
   *   for await (const [best] of kit.predictLive(model, video, { topK: 1, signal })) {
   *     document.title = best?.label ?? '';
   *   }
   * }
   * ```
   */
  predictLive<T extends TaskName | Tasks, Input, Label extends string = string>(
    model: RemoteModel<T, Label>,
    input: Input,
    options?: PredictLiveOptions,
  ): AsyncIterableIterator<Predicted<T, Input, Label>>;
  /** As `blend`. */
  blend: Remote<typeof blend>;
  /** As `calibrate`. */
  calibrate<T extends TaskName | Tasks>(
    model: RemoteModel<T>,
    samples: Samples,
    options?: CalibrateOptions,
  ): Promise<CalibrationOf<T>>;
  /** As `tuneThresholds`. */
  tuneThresholds<T extends TaskName | Tasks>(
    model: RemoteModel<T>,
    samples: Samples,
    options?: TuneThresholdsOptions,
  ): Promise<ThresholdsOf<T>>;
  /** As `compare`. */
  compare(
    contestants: Readonly<Record<string, RemoteContestant>>,
    samples: Samples,
    options?: CompareOptions,
  ): Promise<Comparison>;
  /** As `suggestCut`. */
  suggestCut: Remote<typeof suggestCut>;
  /** As `previewAugmentation`. */
  previewAugmentation: Remote<typeof previewAugmentation>;
  /** As `knn`. */
  knn: Remote<typeof knn>;
  /** As `nearestCentroid`. */
  nearestCentroid: Remote<typeof nearestCentroid>;
  /** As `exportModel`. */
  exportModel: Remote<typeof exportModel>;
  /** As `writeBase`. */
  writeBase: Remote<typeof writeBase>;
  /** The worker's own functions, as `serveTransferKit` got them. */
  readonly functions: { readonly [Name in keyof Own]: Remote<Own[Name]> };
  /** Ends the worker, and frees what it holds. Calls without a result reject with `WORKER_LOST`. */
  dispose(): void;
}

/** Every verb that the worker serves. */
const verbs: Readonly<Record<ServedVerb, true>> = {
  blend: true,
  calibrate: true,
  compare: true,
  evaluate: true,
  exportModel: true,
  findLearningRate: true,
  fineTune: true,
  freeze: true,
  knn: true,
  load: true,
  loadBase: true,
  nearestCentroid: true,
  predict: true,
  previewAugmentation: true,
  replaceHead: true,
  save: true,
  suggestCut: true,
  trainHead: true,
  tuneThresholds: true,
  unfreeze: true,
  useBackend: true,
  writeBase: true,
};

/**
 * Connects to a worker whose program calls `serveTransferKit`. The page stays responsive while the worker computes.
 *
 * @typeParam Own - Type of the functions that the worker got: `typeof functions` there.
 * @param worker - A Worker of the page, or of Node's `node:worker_threads`. `kit.dispose()` ends it.
 * @param options - See {@link ConnectOptions}.
 * @throws TransferKitError `INVALID_OPTION`, `WORKER_LOST` for a worker that does not start. When a worker ends later, all
 * calls without a result reject with `WORKER_LOST`.
 *
 * @example
 * ```ts
 * import { imageFiles } from 'transferkit/browser';
 * import { connectTransferKit } from 'transferkit/worker';
 *
 * async function train(files: FileList) {
 *   const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
 *   const kit = await connectTransferKit(worker);
 *   const samples = imageFiles(files);
 *   const base = await kit.loadBase('models/mobilenet/model.json', { preprocess: 'tf' });
 *   const model = await kit.replaceHead(base, { labels: samples.labels });
 *   await kit.fineTune(model, samples, { onEpoch: ({ loss }) => console.log(loss) });
 *   await kit.save(model, 'indexeddb://my-model');
 *   kit.dispose();
 * }
 * ```
 */
export async function connectTransferKit<Own extends OwnFunctions = OwnFunctions>(
  worker: WorkerLike,
  options: ConnectOptions = {},
): Promise<RemoteTransferKit<Own>> {
  return nameErrors('connectTransferKit', async () => {
    assertOptions(options, { seconds: true });
    const { seconds = 60 } = options;
    assertWhole('seconds', seconds, 1);
    return remoteKit<Own>(await connect(platform.workers, worker, seconds));
  });
}

function remoteKit<Own extends OwnFunctions>({ request, functions, close }: Connection): RemoteTransferKit<Own> {
  const callers = (names: readonly string[]) =>
    Object.fromEntries(
      names.map((name) => {
        const call = (...args: readonly unknown[]) => nameErrors(name, () => request(name, args));
        return [name, call] as const;
      }),
    );
  const kit = {
    ...callers(Object.keys(verbs)),
    functions: callers(functions),
    predictLive: (model: unknown, input: unknown, options: PredictLiveOptions = {}) => {
      const { asked, ...pace } = settleLive(options);
      return repeat(() => request('predict', [model, input, asked]), pace);
    },
    dispose: close,
    ...disposal(),
  };
  // Each function has the type of the worker's function of that name.
  return kit as unknown as RemoteTransferKit<Own>;
}

function settleLive(options: PredictLiveOptions) {
  return nameErrors('predictLive', () => {
    assertOptions(options, { topK: true, views: true, augment: true, signal: true, maxPerSecond: true });
    const { maxPerSecond = 30, signal, ...asked } = options;
    assertRate('maxPerSecond', maxPerSecond);
    return { asked, maxPerSecond, ...(signal && { signal }) };
  });
}
