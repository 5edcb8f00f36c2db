// A model whose base does nothing: features are what the samples hold, so that a head alone can be looked at.
import { layers, model } from '@tensorflow/tfjs-layers';
import {
  loadBase,
  replaceHead,
  type HeadOptions,
  type TaskName,
  type TransferModel,
  type Unmixed,
} from '../../src/index.ts';

/** A new head on vectors of some width. */
export async function vectorModel<T extends TaskName = 'classes'>(
  width: number,
  options: HeadOptions<T> & Unmixed<T>,
): Promise<TransferModel<T>> {
  const input = layers.input({ shape: [width], name: 'vector' });
  const output = layers.activation({ activation: 'linear', name: 'same' }).apply(input);
  if (Array.isArray(output) || !('sourceLayer' in output)) throw new TypeError('no symbolic tensor');
  const source = model({ inputs: input, outputs: output, name: 'vectors' });
  const base = await loadBase(source, { cut: 'same' });
  source.dispose();
  return replaceHead<T>(base, options);
}
