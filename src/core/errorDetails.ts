// The codes of errors, with the meaning, the remedy, and the facts of each. Types only.

type Texts<Names extends string> = Readonly<Partial<Record<Names, string>>>;
type Numbers<Names extends string> = Readonly<Partial<Record<Names, number>>>;
type Lists<Names extends string> = Readonly<Partial<Record<Names, readonly string[]>>>;

/**
 * Why a camera cannot be used: the page is not served by https; the user or the system refused; there is none; it could
 * not be started, as when another program uses it; it sends no pictures; it was disconnected; `stop` was called.
 */
export type CameraProblem = 'insecure' | 'refused' | 'missing' | 'busy' | 'silent' | 'lost' | 'stopped';

/**
 * Each key is an error code: a stable name that a program can switch on. Its value is the type of the facts that such
 * an error may have. The second paragraph of each says what to do.
 */
export interface ErrorDetails {
  /**
   * No backend of TensorFlow.js could be started, or not the requested one.
   *
   * Install its package, or leave the choice to `useBackend()`.
   */
  BACKEND_UNAVAILABLE: Texts<'backend' | 'reason'> & {
    readonly tried?: readonly { readonly name: string; readonly reason: string }[];
  };
  /**
   * The browser or the driver took the graphics card away: the WebGL context or the WebGPU device of the backend is lost, and
   * the values in its memory with it.
   *
   * Call `useBackend` again, then load the model again; training goes on from its checkpoint.
   */
  BACKEND_LOST: Texts<'backend' | 'reason'>;
  /**
   * The backend computes wrong numbers: it failed the self-test.
   *
   * Choose another backend; update the driver or the browser.
   */
  BACKEND_WRONG_RESULT: Texts<'backend' | 'part'> &
    Numbers<'index'> & { readonly expected?: unknown; readonly received?: unknown };
  /**
   * An optional package is not installed.
   *
   * Run the command in the text.
   */
  PACKAGE_MISSING: Texts<'packageName' | 'reason'> &
    Lists<'packages'> & { readonly tried?: readonly { readonly name: string; readonly reason: string }[] };
  /**
   * The engine that was asked for does not run here.
   *
   * Use `engine: 'own'`.
   */
  ENGINE_UNAVAILABLE: Texts<'engine' | 'reason'>;
  /**
   * An engine other than this package's own raised an error while it prepared or ran a part of a network. The model is
   * unchanged.
   *
   * Use `engine: 'own'`.
   */
  ENGINE_FAILED: Texts<'engine' | 'name' | 'reason'>;
  /**
   * An argument or option is unknown, of the wrong type, out of its range, or cannot be combined with another one.
   *
   * Correct the option that the text names.
   */
  INVALID_OPTION: Readonly<Record<string, unknown>>;
  /**
   * A path has no file, or a server did not deliver it.
   *
   * Check the path or address, the network, the mirror.
   */
  NOT_FOUND: Texts<'path' | 'address' | 'source' | 'reason' | 'name' | 'part'> &
    Numbers<'characters' | 'status'> &
    Lists<'nearest' | 'parts'> & { readonly format?: string | undefined };
  /**
   * A file refers to an address or a path that it may not use.
   *
   * Check where the file comes from. If you trust it, set `allowElsewhere`.
   */
  NOT_TRUSTED: Texts<'file' | 'reference' | 'reason'>;
  /**
   * A source is not a model, or it is damaged or contradicts itself.
   *
   * Check the file, or export the model again.
   */
  NOT_A_MODEL: Readonly<Record<string, unknown>>;
  /**
   * A source is a model of a kind that cannot be read.
   *
   * Convert it as the text says.
   */
  UNSUPPORTED_SOURCE: Readonly<Record<string, unknown>>;
  /**
   * A layer or node cannot be computed or trained by this package.
   *
   * Register the layer, cut the base before it, or freeze it.
   */
  UNSUPPORTED_LAYER: Texts<'layer' | 'className' | 'kind' | 'name' | 'setting' | 'initialiser' | 'reason'> &
    Lists<'layers'> & { readonly shape?: unknown };
  /**
   * A custom trunk lacks an optional member that the verb needs.
   *
   * Add the member that the text names, or do not use the verb or option.
   */
  UNSUPPORTED_TRUNK: Texts<'missing' | 'name'>;
  /**
   * Weights are cut short, fail a checksum, or differ from the file's own description.
   *
   * Download or copy the file again.
   */
  WEIGHTS_DAMAGED: Readonly<Record<string, unknown>>;
  /**
   * Weights do not fit the network: some are missing, unexpected or of another shape.
   *
   * Use the weights of this network. The details list the differences.
   */
  WEIGHTS_MISMATCH: Texts<'name' | 'source'> &
    Lists<'assigned' | 'missing' | 'unexpected'> & {
      readonly wrongShape?: readonly unknown[];
      readonly expected?: readonly number[];
      readonly received?: readonly number[];
    };
  /**
   * A checkpoint was written by another run: model, data or options differ.
   *
   * Resume with the model, data and options of the first run, or start without the checkpoint.
   */
  CHECKPOINT_MISMATCH: Texts<'name'> & Numbers<'count'> & Lists<'differences'> & { readonly version?: unknown };
  /**
   * Saved examples of a classifier do not fit its base or its settings.
   *
   * Load them into a classifier of the same base, cut and pooling.
   */
  EXAMPLES_MISMATCH: Lists<'differences'>;
  /**
   * No layer, node or stage has this name.
   *
   * Take one of the nearest names in the text.
   */
  UNKNOWN_LAYER: Texts<'layer' | 'cut'> & Lists<'nearest' | 'known'>;
  /**
   * An example or option has a label that the model does not have.
   *
   * Correct the label, or give it to `replaceHead`.
   */
  UNKNOWN_LABEL: Texts<'label' | 'id'> & Numbers<'index'> & Lists<'labels' | 'nearest' | 'unknown'>;
  /**
   * A classifier holds no example with this id.
   *
   * Use an id that `add` returned.
   */
  UNKNOWN_EXAMPLE: Numbers<'id' | 'size'>;
  /**
   * A tensor or array does not have the expected shape.
   *
   * Reshape it to the shape that the text names.
   */
  WRONG_SHAPE: Readonly<Record<string, unknown>>;
  /**
   * A tensor or value does not have the expected type.
   *
   * Convert it to the type that the text names.
   */
  WRONG_DTYPE: Readonly<Record<string, unknown>>;
  /**
   * Weights, features or inputs hold NaN or infinity.
   *
   * Look for the example or file in the text; `nonFiniteWeights` lets weights pass.
   */
  NOT_FINITE: Texts<'id' | 'cut'> & Numbers<'index' | 'value'> & Lists<'weights'>;
  /**
   * A value, size or number exceeds its limit.
   *
   * Correct the value, or raise the limit with the option that the text names.
   */
  OUT_OF_RANGE: Readonly<Record<string, unknown>>;
  /**
   * The preprocessing of raw input is not known for this base.
   *
   * Pass `preprocess`.
   */
  PREPROCESSOR_UNKNOWN: Texts<'name' | 'kind'>;
  /**
   * A page cannot use a camera: it is refused, missing, busy or disconnected, or the page is not served by https.
   *
   * Do what the text says; `details.problem` names the reason.
   */
  CAMERA_UNAVAILABLE: { readonly problem?: CameraProblem };
  /**
   * Examples cannot be read: damaged or refused pictures.
   *
   * Replace or remove them, or pass `onUnreadable: 'skip'`.
   */
  UNREADABLE: Readonly<Record<string, unknown>>;
  /**
   * There are no examples.
   *
   * Check the folder or list.
   */
  NO_EXAMPLES: Texts<'path'> & Numbers<'size'> & Lists<'ignored'>;
  /**
   * A task needs more labels than the model or the samples have.
   *
   * Give at least as many labels as the text says.
   */
  TOO_FEW_CLASSES: Texts<'task'> & Lists<'labels'>;
  /**
   * There are too few examples to split, validate or compare.
   *
   * Add examples, or hold out fewer of them.
   */
  TOO_FEW_EXAMPLES: Numbers<'size' | 'classes' | 'examples'> & Lists<'labels' | 'rare'>;
  /**
   * Some labels of the model have no training examples.
   *
   * Add examples, or remove these labels.
   */
  CLASS_WITHOUT_EXAMPLES: Lists<'without'>;
  /**
   * A custom head ends with an activation instead of logits.
   *
   * Remove the last activation.
   */
  HEAD_WITHOUT_LOGITS: Texts<'layer' | 'activation'>;
  /**
   * No weight of the model is trainable.
   *
   * Unfreeze a part of the base, or train the head.
   */
  NOTHING_TO_TRAIN: Texts<'layer'>;
  /**
   * The loss became NaN or infinite during training.
   *
   * Take a lower `learningRate`, or clip the gradients. The weights of the best epoch are kept.
   */
  LOSS_NOT_FINITE: Numbers<'loss' | 'epoch'> & { readonly learningRate?: unknown };
  /**
   * The backend is out of memory.
   *
   * Take a smaller `batchSize` or `inputSize`; dispose of models that are not used any more.
   */
  OUT_OF_MEMORY: Numbers<'bytes'> & { readonly shape?: readonly number[] };
  /**
   * A model, checkpoint or cache could not be written.
   *
   * Check the path, the free space and the permissions; in a page, ask for storage by `keepStorage()` of
   * `transferkit/browser`. The previous version is still there.
   */
  SAVE_FAILED: Texts<'path' | 'folder' | 'location' | 'reason'> & Numbers<'epoch' | 'step'>;
  /**
   * Another verb is changing this model, or another tab or worker is training with these checkpoints.
   *
   * Wait until it has finished, or take another name for the checkpoints.
   */
  BUSY: Texts<'name' | 'changer' | 'location'>;
  /**
   * Several models share this base, so it cannot be unfrozen.
   *
   * Load the base once more for the model that is to be fine-tuned.
   */
  BASE_SHARED: Texts<'name'> & Numbers<'models'>;
  /**
   * A base, model or tensor was disposed of before or during the call.
   *
   * Keep it until the call has finished.
   */
  DISPOSED: Texts<'name'> & { readonly shape?: readonly number[] };
  /**
   * The abort signal stopped the call.
   *
   * Nothing to do if that was intended: `signal.reason` is the cause.
   */
  ABORTED: Readonly<Record<string, unknown>>;
  /**
   * A worker did not start, or has ended.
   *
   * Connect to a new worker. A training with a checkpoint goes on there with `resume: true`.
   */
  WORKER_LOST: Texts<'reason'>;
  /**
   * Something impossible happened: a bug in transferkit.
   *
   * Please report it with the text and the stack.
   */
  INTERNAL: Readonly<Record<string, never>>;
}

/** What went wrong, as a stable name that a program can switch on: see {@link ErrorDetails}. */
export type ErrorCode = keyof ErrorDetails;
