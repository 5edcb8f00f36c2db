// Weights that are replaced right after their layer is built: they all share one number until then, so that building a
// network takes no memory for them. An initialiser of tfjs makes them.
import { engine, serialization, type DataType, type Tensor } from '@tensorflow/tfjs-core';
import type { Json, JsonObject } from '../core/json.ts';

const className = 'TransferkitUnset';

/** Makes the initialiser known to tfjs. Its class is made here: one at the top of a file would stay in every bundle. */
function registerUnset(): void {
  class Unset extends serialization.Serializable {
    static readonly className = className;

    apply(shape: number[], dtype: DataType = 'float32'): Tensor {
      const dataId = engine().backend.write(new Float32Array(1), [1], 'float32');
      return engine().makeTensorFromTensorInfo({ dataId, shape, dtype });
    }

    getConfig(): serialization.ConfigDict {
      return {};
    }
  }
  serialization.registerClass(Unset);
}

/** Initialisers of the weights that are large, by layer class. tfjs computes with none of them while it builds. */
const large: Readonly<Record<string, readonly string[]>> = {
  Conv1D: ['kernel_initializer'],
  Conv2D: ['kernel_initializer'],
  Conv2DTranspose: ['kernel_initializer'],
  Conv3D: ['kernel_initializer'],
  Dense: ['kernel_initializer'],
  DepthwiseConv2D: ['depthwise_initializer'],
  // tfjs's own draws a matrix where the configuration names none.
  GRU: ['recurrent_initializer'],
  LSTM: ['recurrent_initializer'],
  SimpleRNN: ['recurrent_initializer'],
  SeparableConv2D: ['depthwise_initializer', 'pointwise_initializer'],
};

/** The initialisers that leave the large weights of a layer unset; the settings of others are not touched. */
export function unsetInitialisers(layerClass: string): JsonObject {
  registerUnset();
  const unset: Json = { class_name: className, config: {} };
  return Object.fromEntries((large[layerClass] ?? []).map((key) => [key, unset]));
}
