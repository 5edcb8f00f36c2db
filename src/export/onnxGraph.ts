// A folded model as an ONNX graph, with its weights in the precision that the user asks for.
import { dispose, mul, type Tensor } from '@tensorflow/tfjs-core';
import { TransferKitError } from '../core/errors.ts';
import type { TensorSpec } from '../core/types.ts';
import type { FoldedNodes } from '../networks/fold/foldNodes.ts';
import { constantValues } from '../networks/onnx/constantValues.ts';
import type { ConstantValues } from '../networks/onnx/onnxDraft.ts';
import type { OnnxGraph } from '../networks/onnx/onnxModel.ts';
import { writeOnnx, type WrittenOnnx } from '../networks/onnx/writeOnnx.ts';
import { kernelsIn, scaleKernels } from '../networks/write/channelScales.ts';
import { correctedBiases } from '../networks/write/correctBiases.ts';
import { assertNumbers } from '../networks/write/packWeights.ts';
import { inBytes, inHalves } from './onnxWeights.ts';
import type { Precision } from './packNodes.ts';

/**
 * Writes a folded model. Its constants are not disposed of.
 *
 * @throws TransferKitError `UNSUPPORTED_LAYER` with the nodes that have no form in ONNX, `NOT_FINITE`, `OUT_OF_RANGE`.
 */
export async function onnxGraphOf(
  folded: FoldedNodes,
  input: TensorSpec,
  { quantize, byChannel, means }: Precision,
): Promise<OnnxGraph> {
  if (quantize === 'uint8') return quantizedGraph(folded, input, { byChannel, means });
  const graph = writeWhole(folded, input, await valuesOf(folded.constants));
  return quantize === undefined ? graph : inHalves(graph);
}

async function quantizedGraph(
  { graph, constants }: FoldedNodes,
  input: TensorSpec,
  { byChannel, means }: Pick<Precision, 'byChannel' | 'means'>,
): Promise<OnnxGraph> {
  const kernels = kernelsIn(graph, constants);
  const chosen = [...kernels.values()].filter(({ kind }) => byChannel.includes(kind));
  const scaled = scaleKernels(chosen, constants);
  const rounded = [
    ...[...scaled].map(([name, { whole, scale }]) => [name, mul(whole, scale)] as const),
    ...correctedBiases({ nodes: graph.nodes, kernels, scaled, constants }, means),
  ];
  try {
    const values = await valuesOf(new Map([...constants, ...rounded]));
    const scales = new Map<string, Float32Array>();
    for (const [name, { scale }] of scaled) scales.set(name, await scale.data<'float32'>());
    return inBytes(writeWhole({ graph, constants }, input, values), scales);
  } finally {
    dispose(rounded.map(([, value]) => value));
    for (const { whole, scale } of scaled.values()) dispose([whole, scale]);
  }
}

function writeWhole(
  { graph }: FoldedNodes,
  input: TensorSpec,
  constants: ReadonlyMap<string, ConstantValues>,
): OnnxGraph {
  const written = writeOnnx({ graph, constants, input });
  if (written.graph === undefined) throw withoutForm(written.refused);
  return written.graph;
}

/**
 * Reads constants.
 *
 * @throws TransferKitError `NOT_FINITE`.
 */
async function valuesOf(constants: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, ConstantValues>> {
  const all = await constantValues(constants);
  for (const [name, { values }] of all) if (values instanceof Float32Array) assertNumbers(name, values);
  return all;
}

function withoutForm(refused: WrittenOnnx['refused']): TransferKitError {
  const listed = refused.slice(0, 10).map(({ name, op, reason }) => `'${name}' (${op}): ${reason}`);
  const more = refused.length > 10 ? ` and ${String(refused.length - 10)} more` : '';
  const text = `expected nodes that have a form in ONNX, got ${listed.join('; ')}${more}. Export to 'graphModel'.`;
  return new TransferKitError('UNSUPPORTED_LAYER', text, { layers: refused.map(({ name }) => name) });
}
