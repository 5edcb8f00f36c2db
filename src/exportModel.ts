// The verb exportModel: writes a model for use without this package.
import type { io } from '@tensorflow/tfjs-core';
import { nameErrors } from './core/edge.ts';
import { assertOneOf, assertWhole, invalidOption } from './core/optionChecks.ts';
import { assertOptions } from './core/optionNames.ts';
import type { Samples } from './core/types.ts';
import { ensureBackend } from './engines/backends/ensureBackend.ts';
import { filePlace, isFileTarget, type FileTarget } from './export/exportFile.ts';
import type { MeasuredExport } from './export/measureExport.ts';
import { saveTo, targetOf } from './formats/tfjs/modelStores.ts';
import { assertAlive } from './model/assertAlive.ts';
import { assertKnown } from './model/checkLabels.ts';
import type { AnyModel } from './model/model.ts';
import { whileCopied } from './model/uses.ts';
import { zipBlob } from './zipBlob.ts';

/** Formats of {@link exportModel}. */
export type ExportFormat = 'onnx' | 'graphModel' | 'keras';

/** Options of {@link exportModel}. */
export interface ExportOptions {
  /**
   * - `'onnx'`: an `.onnx` file (operators of version 17) for ONNX Runtime and other programs, only for inference.
   * - `'graphModel'`: a tfjs GraphModel for `tf.loadGraphModel`, as `toGraphModel` makes it: fast, and only for inference.
   * - `'keras'`: a `.keras` file for Keras 3 (`keras.models.load_model`), which can go on training there. The base must be
   * made of layers.
   */
  readonly format: ExportFormat;
  /**
   * Smaller weights, for `'onnx'` and `'graphModel'`. `'float16'` takes half of the bytes, with a relative error of at most
   * 0.05 % in each weight. `'uint8'` takes about a quarter: kernels have 255 steps, with a scale for each output channel
   * (`'graphModel'`: of convolutions). Programs compute in single precision in all cases. Default: single precision.
   */
  readonly quantize?: 'float16' | 'uint8';
  /** Samples to measure the model on, before and after quantisation. Default: not measured. */
  readonly samples?: Samples;
  /** Examples measured at once. Default 32. */
  readonly batchSize?: number;
  /**
   * For `'onnx'`: puts the preprocessing into the model, which then takes pictures [b, h, w, c] of any size as bytes 0..255.
   * For bases with image preprocessing. Default `false`.
   */
  readonly includePreprocessing?: boolean;
}

/** What {@link exportModel} wrote. */
export interface ExportedModel {
  readonly format: ExportFormat;
  /** Number of numbers in all weights. BatchNorm that was folded into kernels does not count. */
  readonly parameters: number;
  /** Bytes of all weights, as written. The description of the network comes on top. */
  readonly weightBytes: number;
  /** Loss and accuracy on the `samples`, in single precision and as written. Missing without samples. */
  readonly figures?: MeasuredExport;
}

const formats: readonly ExportFormat[] = ['onnx', 'graphModel', 'keras'];

/**
 * Exports a model for use without transferkit. Its input is a preprocessed batch, as for the base; its output is the
 * probabilities of the labels (`binary`: that of the second label; `regression`: the values), those of each head for
 * several.
 *
 * It writes a snapshot: training that goes on meanwhile does not change it. Labels, task, tuned thresholds and preprocessing
 * are in the file: `'onnx'` has them in `metadata_props`, each as JSON, `'graphModel'` in `userDefinedMetadata`, `'keras'` in
 * `metadata.json`, which Keras ignores and from which `load` brings the whole model back.
 *
 * A layer trains on in Keras if one of its weights is not frozen here, a BatchNormalization if its statistics are not.
 * Optimizer state is not written. In `'uint8'` biases of a model of pictures are corrected by what rounding does to the mean of
 * each output, measured on pictures of noise: Nagel et al. 2019, https://arxiv.org/abs/1906.04721.
 *
 * @param model - A model of any task, or with several heads.
 * @param target - For `'graphModel'` as for `save`. For `'onnx'` and `'keras'` the path of a file with that ending in Node,
 * `downloads://name` in a page. For all an object `{ write: (file) => … }`, which gets a Blob (`'graphModel'`: a ZIP archive).
 * A file is replaced in one step, or not at all.
 * @param options - See {@link ExportOptions}.
 * @returns What was written, and figures if samples are given.
 * @throws TransferKitError `SAVE_FAILED` with the reason, `INVALID_OPTION`, `DISPOSED`, `UNSUPPORTED_SOURCE` for `'keras'` with
 * a base that is a GraphModel, `UNSUPPORTED_LAYER` with the layers that the format does not have, `UNSUPPORTED_TRUNK` for a
 * custom trunk that writes no nodes, `NOT_FINITE` for a weight with NaN or infinity, `OUT_OF_RANGE` for one that half
 * precision does not hold, and the errors of samples.
 *
 * @example
 * ```ts
 * import { exportModel } from 'transferkit';
 * const { figures, weightBytes } = await exportModel(model, 'exported', {
 *   format: 'graphModel',
 *   quantize: 'uint8',
 *   samples,
 * });
 * console.log(weightBytes, figures?.after.accuracy);
 * await exportModel(model, 'model.keras', { format: 'keras' });
 * ```
 */
export async function exportModel(
  model: AnyModel,
  target: io.IOHandler | FileTarget | string | URL,
  options: ExportOptions,
): Promise<ExportedModel> {
  return nameErrors('exportModel', async () => {
    const settled = settle(options);
    assertAlive(model);
    if (settled.samples !== undefined) assertKnown(model, settled.samples);
    await ensureBackend();
    return settled.format === 'graphModel' ? exportGraph(model, target, settled) : exportFile(model, target, settled);
  });
}

type Settled = ReturnType<typeof settle>;

function settle(options: ExportOptions) {
  const names = { format: true, quantize: true, samples: true, batchSize: true, includePreprocessing: true } as const;
  assertOptions(options, names);
  const { format, quantize, samples, batchSize = 32, includePreprocessing = false } = options;
  assertOneOf('format', format, formats);
  if (quantize !== undefined) assertOneOf('quantize', quantize, ['float16', 'uint8']);
  assertWhole('batchSize', batchSize, 1);
  assertSwitch('includePreprocessing', includePreprocessing);
  if (format === 'keras' && quantize !== undefined) {
    const expected =
      "quantize with the formats 'onnx' and 'graphModel' (Keras keeps single precision; it has a quantize method of its own)";
    throw invalidOption(expected, quantize, `'${quantize}' with 'keras'`);
  }
  if (format === 'keras' && samples !== undefined) {
    throw invalidOption(
      'samples with a format that can be quantised',
      samples,
      "them with 'keras'; call evaluate(model, samples)",
    );
  }
  if (format !== 'onnx' && includePreprocessing) {
    throw invalidOption("includePreprocessing with the format 'onnx'", true, `it with '${format}'`);
  }
  return { format, quantize, samples, batchSize, includePreprocessing };
}

/** Callers without TypeScript may pass any value. */
function assertSwitch(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw invalidOption(`${name} to be true or false`, value);
}

async function exportFile(model: AnyModel, target: unknown, settled: Settled): Promise<ExportedModel> {
  const { format } = settled;
  const write = filePlace(target, `.${format}`);
  const { content, report } = await whileCopied(model, async () => {
    const pack =
      format === 'keras'
        ? (await import('./export/packKeras.ts')).packKeras
        : (await import('./export/packOnnx.ts')).packOnnx;
    assertAlive(model);
    return pack(model, settled);
  });
  await write(content);
  return { format, ...report };
}

async function exportGraph(
  model: AnyModel,
  target: io.IOHandler | FileTarget | string | URL,
  settled: Settled,
): Promise<ExportedModel> {
  const handler = targetOf(isFileTarget(target) ? zipBlob((file) => target.write(file)) : target);
  const { content, report } = await whileCopied(model, async () => {
    const { packGraph } = await import('./export/packGraph.ts');
    assertAlive(model);
    return packGraph(model, settled);
  });
  await saveTo(handler, content);
  return { format: settled.format, ...report };
}
