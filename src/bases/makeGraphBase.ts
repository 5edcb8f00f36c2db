// Makes a base from a GraphModel's artefact: cuts the nodes, replaces weights by variables, chooses the preprocessing.
import type { NodeGraph } from '../core/graphs.ts';
import { TransferKitError } from '../core/errors.ts';
import { nearestNames } from '../core/names.ts';
import { describeShape } from '../core/shapes.ts';
import type { Base } from '../model/model.ts';
import type { TensorSpec } from '../core/types.ts';
import { freedBatchNote } from '../networks/read/freeInput.ts';
import { withScaledKernels } from '../networks/read/scaledKernels.ts';
import { findNodeCut } from '../networks/cut/findNodeCut.ts';
import { graphTrunk } from '../networks/trunks/graphTrunk.ts';
import {
  attribute,
  dataNodes,
  declaredShape,
  nodesByName,
  nodesUpTo,
  withDeclaredShape,
} from '../networks/graphs/nodeGraph.ts';
import type { ModelArtefact } from '../formats/tfjs/modelArtefact.ts';
import { createBase } from './createBase.ts';
import type { BasePlan } from './makeBase.ts';

/**
 * Builds the part of a GraphModel up to the cut.
 *
 * @throws TransferKitError `UNKNOWN_LAYER` with the nearest names, `INVALID_OPTION` for a size that is missing or does
 * not fit, and the errors of building.
 */
export function makeGraphBase(graph: NodeGraph, artefact: ModelArtefact, plan: BasePlan): Base {
  const cut = plan.cut === undefined ? findNodeCut(graph) : checkCut(graph, plan.cut);
  const input = inputSpecOf(graph, plan.inputSize);
  const trimmed = withDeclaredShape(nodesUpTo(graph, cut), input.shape);
  const names = new Set(trimmed.nodes.filter(({ op }) => op === 'Const').map(({ name }) => name));
  const stored = withScaledKernels({ graph: trimmed, constants: artefact.weights((name) => names.has(name)) });
  const trunk = graphTrunk(stored.graph, stored.constants, input);
  try {
    const fixed = declaredShape(graph)?.[0] ?? null;
    const notes = fixed === null || fixed < 1 ? [] : [freedBatchNote(graph.input, fixed)];
    return createBase({ name: plan.name, trunk, preprocessor: plan.preprocess(trunk.input), cut, notes });
  } catch (error) {
    trunk.dispose();
    throw error;
  }
}

function checkCut(graph: NodeGraph, cut: string): string {
  const names = dataNodes(graph);
  if (names.includes(cut)) return cut;
  const nearest = nearestNames(cut, names);
  const text = `expected cut to name a node of '${graph.name}', got '${cut}'. Nearest: ${nearest.join(', ')}.`;
  throw new TransferKitError('UNKNOWN_LAYER', text, { cut, nearest });
}

/**
 * Input shape of the graph: the one that its Placeholder declares, with the user's height and width and a free batch
 * axis.
 */
function inputSpecOf(graph: NodeGraph, inputSize: readonly [number, number] | undefined): TensorSpec {
  const declared = declaredShape(graph) ?? (inputSize && [null, null, null, 3]);
  const dtype = attribute(nodesByName(graph.nodes).get(graph.input), 'dtype').type === 'DT_INT32' ? 'int32' : 'float32';
  const shape = declared?.map((axis, i) => (i === 0 ? null : (inputSize?.[i - 1] ?? axis)));
  if (inputSize !== undefined && declared?.length !== 4) {
    const text = `expected a base with pictures [height, width, channels] as input for inputSize, got ${describeShape(declared ?? [])}.`;
    throw new TransferKitError('INVALID_OPTION', text, { inputSize, shape: declared });
  }
  if (shape !== undefined && !shape.slice(1).includes(null)) return { shape, dtype };
  const text =
    `expected a graph whose input has a fixed size, got ${declared === undefined ? 'none declared' : describeShape(declared)} ` +
    `at '${graph.input}'. Give inputSize, the height and width in pixels.`;
  throw new TransferKitError('INVALID_OPTION', text, { shape: declared });
}
