// Operations of Keras 3 whose classes have the names of layers (`ops.reshape`, `Reshape`) but other settings.
import type { TensorRef } from '../../core/graphs.ts';
import { isJsonList, isJsonObject, numericOf, type JsonObject } from '../../core/json.ts';
import type { Argument } from './inboundNodes.ts';
import type { Origin } from './keras3.ts';
import type { Step } from './operationLayers.ts';

/**
 * Whether Keras 3 wrote an operation (`ops.reshape`), whose class may have the name of a layer (`Reshape`) with other
 * settings. Converters leave out the module; every layer has a type and whether it is trained.
 */
export function isOperation({ module, config }: JsonObject, origin: Origin): boolean {
  if (origin !== 'keras3') return false;
  if (typeof module === 'string') return /^keras\.(src\.)?ops\b/.test(module);
  return isJsonObject(config) && !('trainable' in config) && !('dtype' in config);
}

/** Operations of Keras 3 with the names of layers. */
const namesakes: ReadonlySet<string> = new Set([
  ...['Add', 'Average', 'Concatenate', 'Dot', 'Maximum', 'Minimum', 'Multiply'],
  ...['ReLU', 'Reshape', 'Softmax', 'Subtract'],
]);

export function isNamesake(className: string): boolean {
  return namesakes.has(className);
}

/** The layer of the same name that computes an operation; undefined where it would compute something else. */
export function namesakeSteps(
  className: string,
  config: JsonObject,
  args: readonly Argument<TensorRef>[],
): Step[] | undefined {
  const inputs = args.flatMap((argument) => ('tensor' in argument ? [argument.tensor] : []));
  if (inputs.length < args.length) return undefined;
  const steps = (settings: JsonObject) => [{ className, config: settings, inputs }];
  const { axis = -1, newshape: shape } = config;
  switch (className) {
    case 'Concatenate':
    case 'Softmax':
      return steps({ axis });
    case 'Maximum':
    case 'Minimum':
      return steps({});
    case 'ReLU':
      return steps(config);
    case 'Reshape':
      // The first axis is that of the batch.
      return isJsonList(shape) && numericOf(shape[0] ?? -1) < 0 ? steps({ target_shape: shape.slice(1) }) : undefined;
    default:
      return undefined;
  }
}
