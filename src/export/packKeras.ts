// A model as the bytes of a `.keras` file.
import { dispose, type Tensor } from '@tensorflow/tfjs-core';
import type { Hdf5Dataset } from '../formats/hdf5/writeHdf5.ts';
import { writeKerasFile } from '../formats/keras/writeKerasFile.ts';
import type { AnyModel } from '../model/model.ts';
import { assertNumbers } from '../networks/write/packWeights.ts';
import { kerasModel } from './kerasModel.ts';
import type { ReportedPack } from './packMeasured.ts';

/**
 * Packs a snapshot of a model.
 *
 * @throws TransferKitError the errors of `kerasModel` and `writeKerasFile`.
 */
export async function packKeras(model: AnyModel): Promise<ReportedPack<Uint8Array<ArrayBuffer>>> {
  const { config, layers, saved } = kerasModel(model);
  // Values change while they are read, if the model trains.
  const copies = layers.map(({ weights }) => weights.map(({ name, variable }) => ({ name, value: variable.clone() })));
  try {
    const values = await Promise.all(copies.map((own) => Promise.all(own.map(datasetOf))));
    const stored = layers.map(({ name, className }, i) => ({ name, className, weights: values[i] ?? [] }));
    const all = copies.flat();
    return {
      content: writeKerasFile({ config, layers: stored, transferkit: saved }),
      report: {
        parameters: all.reduce((sum, { value }) => sum + value.size, 0),
        weightBytes: values.flat().reduce((sum, { bytes }) => sum + bytes.length, 0),
      },
    };
  } finally {
    dispose(copies.flat().map(({ value }) => value));
  }
}

async function datasetOf({ name, value }: { readonly name: string; readonly value: Tensor }): Promise<Hdf5Dataset> {
  const values = await value.data();
  if (values instanceof Float32Array) assertNumbers(name, values);
  const { buffer, byteOffset, byteLength } = values;
  const type = value.dtype === 'int32' ? 'int32' : 'float32';
  return { shape: value.shape, type, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}
