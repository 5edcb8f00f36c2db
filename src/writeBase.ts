// The verb writeBase: writes a base as a plain tfjs model, to serve it from one's own origin.
import { dispose, type io } from '@tensorflow/tfjs-core';
import { nameErrors } from './core/edge.ts';
import { assertOptions } from './core/optionNames.ts';
import { assertOneOf } from './core/optionChecks.ts';
import { saveTo, targetOf } from './formats/tfjs/modelStores.ts';
import type { SavedBase } from './formats/tfjs/savedModel.ts';
import { assertBaseAlive } from './model/assertAlive.ts';
import type { Base } from './model/model.ts';
import { whileBaseUsed } from './model/uses.ts';

/** Options of {@link writeBase}. */
export interface WriteBaseOptions {
  /**
   * `'float16'` writes weights in half precision: half the bytes, and a relative error of at most 0.05 % in each weight.
   * `'uint8'` writes kernels in 255 steps: about a quarter of the bytes. tfjs makes single precision of them when it loads.
   * Default: single precision, without any error.
   */
  readonly quantize?: 'float16' | 'uint8';
}

/** What {@link writeBase} wrote. */
export interface WrittenBase {
  /** `'layers-model'` for `tf.loadLayersModel`, `'graph-model'` for `tf.loadGraphModel`. */
  readonly format: 'layers-model' | 'graph-model';
  /** Number of numbers in all weights. */
  readonly parameters: number;
  /** Bytes of all weights, as written. `model.json` comes on top. */
  readonly weightBytes: number;
}

/**
 * Writes a base as a plain tfjs model: `model.json` and its weights, from the input to the cut, without the classifier.
 * Serve them from your own site, and pages load them with `loadBase`, which finds cut, name and preprocessing in the
 * file: no further option is needed. Plain tfjs loads the file too; its output is the features.
 *
 * Which layers are frozen is not written, and neither is a head: for whole models there is `save`.
 *
 * @param base - From `loadBase`; also the base of a model, with the weights that it has now.
 * @param target - As for `save`: in Node the path of a folder or of a `.zip`; in a browser `indexeddb://name`,
 * `zipDownload(name)`; any tfjs IOHandler.
 * @param options - See {@link WriteBaseOptions}.
 * @returns The kind and the sizes of what was written.
 * @throws TransferKitError `SAVE_FAILED` with the reason, `INVALID_OPTION`, `DISPOSED`, `NOT_FINITE` for a weight with
 * NaN or infinity, `OUT_OF_RANGE` for one with numbers beyond ±65504, which half precision does not hold,
 * `UNSUPPORTED_TRUNK` for a custom trunk that cannot be written.
 *
 * @example
 * ```ts
 * import { loadBase, writeBase } from 'transferkit';
 * import * as mobilenet from 'nsfwjs/models/mobilenet_v2';
 * using base = await loadBase(mobilenet, { inputSize: 96, preprocess: 'tf' });
 * const { format, weightBytes } = await writeBase(base, 'public/base', { quantize: 'float16' });
 * console.log(format, `${(weightBytes / 1e6).toFixed(1)} MB`); // layers-model 4.5 MB
 * using again = await loadBase('public/base'); // in a page: loadBase('/base/model.json')
 * console.log(again.cut, again.preprocessor.spec.kind); // out_relu image
 * ```
 */
export async function writeBase(
  base: Base,
  target: io.IOHandler | string | URL,
  options: WriteBaseOptions = {},
): Promise<WrittenBase> {
  return nameErrors('writeBase', async () => {
    assertOptions(options, { quantize: true });
    const { quantize } = options;
    if (quantize !== undefined) assertOneOf('quantize', quantize, ['float16', 'uint8']);
    assertBaseAlive(base);
    const handler = targetOf(target);
    const artifacts = await whileBaseUsed(base, () => artifactsOf(base, quantize));
    await saveTo(handler, artifacts);
    const { weightSpecs, weightData, format } = artifacts;
    return {
      format,
      parameters: weightSpecs.reduce((sum, { shape }) => sum + shape.reduce((size, axis) => size * axis, 1), 0),
      weightBytes: weightData.byteLength,
    };
  });
}

async function artifactsOf(base: Base, quantize: WriteBaseOptions['quantize']) {
  const { writeBaseModel } = await import('./networks/write/writeBaseModel.ts');
  const { packWeights } = await import('./networks/write/packWeights.ts');
  assertBaseAlive(base);
  const isRounded = quantize === 'uint8';
  const quantized = isRounded ? await (await import('./export/quantizeBase.ts')).quantizeBase(base) : undefined;
  const { artifacts, weights, grids, cut } = writeBaseModel(base, quantized);
  const packed = await packWeights(weights, isRounded ? grids : quantize).finally(() => {
    dispose(Object.values(weights));
  });
  const saved: SavedBase = {
    version: 1,
    kind: 'base',
    preprocessor: base.preprocessor.spec,
    base: { name: base.name, cut },
  };
  return { ...artifacts, ...packed, generatedBy: 'transferkit', userDefinedMetadata: { transferkit: saved } };
}
