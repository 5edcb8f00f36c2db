// A model as the bytes of an ONNX file.
import { thresholdsOf } from '../formats/tfjs/describeModel.ts';
import type { AnyModel } from '../model/model.ts';
import { encodeModel, type OnnxGraph } from '../networks/onnx/onnxModel.ts';
import { outputName } from './foldedArtifacts.ts';
import { withPreprocessing } from './onnxPreprocessing.ts';
import { onnxGraphOf } from './onnxGraph.ts';
import { packMeasured, type PackOptions, type ReportedPack } from './packMeasured.ts';

/** How to pack. */
export interface OnnxOptions extends PackOptions {
  /** Whether pictures of bytes are the input. */
  readonly includePreprocessing: boolean;
}

/**
 * Packs a snapshot of a model.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the nodes that have no form in ONNX, `INVALID_OPTION` for
 * preprocessing that is not of pictures, and the errors of `packMeasured`.
 */
export async function packOnnx(
  model: AnyModel,
  { includePreprocessing, ...options }: OnnxOptions,
): Promise<ReportedPack<Uint8Array<ArrayBuffer>>> {
  const { base, head } = model;
  const metadata = metadataOf(model, includePreprocessing);
  return packMeasured(model, options, {
    byChannel: ['convolution', 'product'],
    pack: async (folded, precision) => {
      const written = await onnxGraphOf(folded, base.trunk.input, precision);
      const graph = withOutputNames(written, head.parts.map(outputName));
      const weightBytes = graph.constants.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const whole = includePreprocessing ? withPreprocessing(graph, base.preprocessor.spec) : graph;
      return { content: encodeModel({ graph: whole, metadata }), weightBytes };
    },
  });
}

/** Facts about the model, each as JSON: a plain list could not hold labels with commas or line breaks. */
function metadataOf({ base, head, labels }: AnyModel, preprocessingIncluded: boolean): Record<string, string> {
  const facts = {
    ...{ labels, task: head.task, ...thresholdsOf(head.parts) },
    ...{ preprocessing: base.preprocessor.spec, preprocessingIncluded },
  };
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, JSON.stringify(value)]));
}

/** The graph with these names of its outputs, where nothing else has them. */
function withOutputNames(graph: OnnxGraph, names: readonly string[]): OnnxGraph {
  const taken = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const renamed = graph.outputs.map((port, place) => {
    const name = names[place] ?? port.name;
    return { from: port.name, port: { ...port, name: taken.has(name) ? port.name : name } };
  });
  const added = renamed.filter(({ from, port }) => from !== port.name);
  const nodes = added.map(({ from, port: { name } }) => ({
    name,
    op: 'Identity',
    inputs: [from],
    outputs: [name],
    attributes: {},
  }));
  return { ...graph, nodes: [...graph.nodes, ...nodes], outputs: renamed.map(({ port }) => port) };
}
