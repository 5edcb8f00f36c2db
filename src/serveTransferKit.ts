// The verb serveTransferKit: lets a page call the verbs in this worker.
import { platform } from '#platform';
import { blend } from './blend.ts';
import { calibrate } from './calibrate.ts';
import { compare } from './compare.ts';
import { nameErrors } from './core/edge.ts';
import { TransferKitError } from './core/errors.ts';
import { invalidOption } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import { evaluate } from './evaluate.ts';
import { exportModel } from './exportModel.ts';
import { findLearningRate } from './findLearningRate.ts';
import { fineTune } from './fineTune.ts';
import { freeze, unfreeze } from './freeze.ts';
import { knn } from './knn.ts';
import { load } from './load.ts';
import { loadBase } from './loadBase.ts';
import { nearestCentroid } from './nearestCentroid.ts';
import { predict } from './predict.ts';
import { previewAugmentation } from './previewAugmentation.ts';
import { replaceHead } from './replaceHead.ts';
import { save } from './save.ts';
import { suggestCut } from './suggestCut.ts';
import { trainHead } from './trainHead.ts';
import { tuneThresholds } from './tuneThresholds.ts';
import { useBackend } from './useBackend.ts';
import { writeBase } from './writeBase.ts';
import { serve } from './worker/serve.ts';

/** Options of {@link serveTransferKit}. */
export interface ServeOptions {
  /**
   * Functions of your own that the page may call (`kit.functions.name(…)`), for what cannot be sent: custom losses,
   * schedules, preprocessing and layers, models in memory. Their arguments and results are converted as those of the
   * verbs: models and bases of the page's calls are the real ones here.
   */
  // A function of any parameters is one of these, and of no wider type.
  readonly functions?: Readonly<Record<string, (...args: never) => unknown>>;
}

/** The verbs that a page may call. */
const verbs = {
  blend,
  calibrate,
  compare,
  evaluate,
  exportModel,
  findLearningRate,
  fineTune,
  freeze,
  knn,
  load,
  loadBase,
  nearestCentroid,
  predict,
  previewAugmentation,
  replaceHead,
  save,
  suggestCut,
  trainHead,
  tuneThresholds,
  unfreeze,
  useBackend,
  writeBase,
};

/** Names of the verbs that a page may call. */
export type ServedVerb = keyof typeof verbs;

/**
 * Lets the page that started this worker call the verbs here, through `connectTransferKit`. Call it once, in the worker's
 * file. In Node the same with a Worker of `node:worker_threads`.
 *
 * @param options - See {@link ServeOptions}.
 * @throws TransferKitError `INVALID_OPTION` outside of a worker, for a second call, and for a function with the name of a
 * verb.
 *
 * @example
 * ```ts
 * import { serveTransferKit } from 'transferkit/worker';
 * serveTransferKit();
 * ```
 */
export function serveTransferKit(options: ServeOptions = {}): void {
  nameErrors('serveTransferKit', () => {
    assertOptions(options, { functions: true });
    const { functions: own = {} } = options;
    for (const [name, value] of Object.entries(own)) {
      if (typeof value !== 'function') throw invalidOption(`functions.${name} to be a function`, value);
      if (name in verbs) throw invalidOption(`functions with names of their own`, name);
    }
    if (serve(platform.workers, { ...verbs, ...own }, Object.keys(own))) return;
    const text =
      'expected to be called in a worker, got the main thread. Call it in the file of the worker, and connectTransferKit(worker) here.';
    throw new TransferKitError('INVALID_OPTION', text);
  });
}
