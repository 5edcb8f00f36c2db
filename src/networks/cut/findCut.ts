// Finds the start of the classifier of a pretrained network, from the kinds of its layers.
import type { LayerGraph } from '../../core/graphs.ts';
import { textOf } from '../../core/json.ts';
import { layerOf } from '../graphs/layerGraph.ts';
import { separatingCalls } from './stages.ts';

const shaping = new Set(['Activation', 'ActivationOf', 'Softmax', 'ReLU', 'LeakyReLU', 'Dropout', 'Reshape']);
const normalizing = new Set(['BatchNormalization', 'LayerNormalization']);
const pooling = /^(Flatten|Global(Average|Max)Pooling[123]D(KeepDims)?)$/;

/**
 * The call whose output is the default for features: the last one before the classifier.
 *
 * If the network ends in a global pooling or a Flatten followed only by a classifier, that is the feature map before
 * it. If the pooling gives the logits, as in SqueezeNet, the 1 × 1 convolution before it is the classifier. A network
 * that ends in a dense layer or a softmax without either is cut before its last layer with a kernel. Any other network
 * has no classifier and is used completely.
 */
export function findCut(graph: LayerGraph): number {
  const output = graph.outputs[0]?.call ?? graph.calls.length - 1;
  const map = mapBeforeClassifier(graph, output);
  if (map > 0) return map;
  const classifies = layerOf(graph, output).className === 'Dense' || isProbabilities(graph, output);
  return classifies ? beforeLastKernel(graph, output) : output;
}

/** The input of the last pooling, or 0 if more than a classifier follows it. */
function mapBeforeClassifier(graph: LayerGraph, output: number): number {
  let hasKernel = false;
  for (let call = output; call > 0; call = inputOf(graph, call)) {
    const layer = layerOf(graph, call);
    if (pooling.test(layer.className)) {
      const kept = layer.className === 'Flatten' ? keptPooling(graph, inputOf(graph, call)) : 0;
      if (kept > 0) return inputOf(graph, kept);
      const read = inputOf(graph, call);
      // Older ResNets have a pooling window as large as the map, followed by Flatten.
      const map = layerOf(graph, read).className === 'AveragePooling2D' ? inputOf(graph, read) : read;
      return hasKernel || !isProbabilities(graph, output) ? map : beforePointwise(graph, map);
    }
    const classifies = layer.className === 'Dense' || normalizing.has(layer.className) || isPointwise(graph, call);
    hasKernel ||= classifies;
    if (!classifies && !shaping.has(layer.className)) return 0;
  }
  return 0;
}

/**
 * The global pooling that keeps its axes, with only 1 × 1 convolutions between it and `call`, or 0. The dense layers of
 * MobileNetV3 are such convolutions, with Flatten at the end. A pooling inside squeeze-and-excitation does not count:
 * the map is used after it.
 */
function keptPooling(graph: LayerGraph, call: number): number {
  const { className } = layerOf(graph, call);
  if (call > 0 && className.endsWith('KeepDims')) return separatingCalls(graph).includes(call) ? call : 0;
  const isDense = shaping.has(className) || className === 'Multiply' || isPointwise(graph, call);
  return call > 0 && isDense ? keptPooling(graph, inputOf(graph, call)) : 0;
}

/** The input of the 1 × 1 convolution that `map` results from, before any dropout; `map` itself if there is none. */
function beforePointwise(graph: LayerGraph, map: number): number {
  const skip = (call: number, kinds: ReadonlySet<string>): number =>
    call > 0 && kinds.has(layerOf(graph, call).className) ? skip(inputOf(graph, call), kinds) : call;
  const convolution = skip(map, shaping);
  return isPointwise(graph, convolution) ? skip(inputOf(graph, convolution), new Set(['Dropout'])) : map;
}

function isProbabilities(graph: LayerGraph, call: number): boolean {
  const { className, config } = layerOf(graph, call);
  return className === 'Softmax' || /softmax|sigmoid/.test(textOf(config.activation));
}

/** Whether a layer is a 1 × 1 convolution. MobileNetV1 has one as its dense layer. */
function isPointwise(graph: LayerGraph, call: number): boolean {
  const { className, config } = layerOf(graph, call);
  return className === 'Conv2D' && Array.isArray(config.kernel_size) && config.kernel_size.every((size) => size === 1);
}

/** The input of the last layer apart from activations, dropout and reshaping, before any such layers. */
function beforeLastKernel(graph: LayerGraph, output: number): number {
  const skip = (call: number): number =>
    call > 0 && shaping.has(layerOf(graph, call).className) ? skip(inputOf(graph, call)) : call;
  return skip(inputOf(graph, skip(output)));
}

function inputOf(graph: LayerGraph, call: number): number {
  return graph.calls[call]?.inputs[0]?.call ?? 0;
}
