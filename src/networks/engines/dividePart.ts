// Divides a folded part that ONNX has no whole form for, at nodes that all values pass through.
import { dispose } from '@tensorflow/tfjs-core';
import type { TensorSpec } from '../../core/types.ts';
import { nodePart } from '../graphs/nodeGraph.ts';
import { separatingNodes } from '../cut/nodeWiring.ts';
import type { ConstantValues } from '../onnx/onnxDraft.ts';
import { writeOnnx } from '../onnx/writeOnnx.ts';
import { probe } from '../run/graphProbe.ts';
import { emptyModel } from '../run/runNodes.ts';
import type { FoldedGraph } from './engine.ts';

/** A piece of a part. */
export interface Piece {
  readonly piece: FoldedGraph;
  /** Nodes without a form in ONNX, with their operations. */
  readonly refused: readonly string[];
}

interface Stretch {
  readonly entry: string;
  readonly exit: string;
  readonly input: TensorSpec;
  readonly refused: readonly string[];
}

/** The pieces in order: each is as long as possible, and has a form as a whole or not at all. */
export function dividedPart(part: FoldedGraph, values: ReadonlyMap<string, ConstantValues>): Piece[] {
  const joined: Stretch[] = [];
  for (const stretch of stretchesOf(part, values)) {
    const last = joined.at(-1);
    const isSameKind = last !== undefined && (last.refused.length === 0) === (stretch.refused.length === 0);
    if (!isSameKind) joined.push(stretch);
    else joined.splice(-1, 1, { ...last, exit: stretch.exit, refused: [...last.refused, ...stretch.refused] });
  }
  return joined.map(({ entry, exit, input, refused }) => ({ piece: pieceOf(part, entry, exit, input), refused }));
}

/** The shortest pieces between nodes that all values pass through. */
function stretchesOf(part: FoldedGraph, values: ReadonlyMap<string, ConstantValues>): Stretch[] {
  const { graph } = part;
  const [output = graph.input] = graph.outputs;
  const passed = [...new Set([...separatingNodes(graph), output])].filter((name) => name !== graph.input);
  const specs = specsAt(part, passed);
  return passed.map((exit, place) => {
    const entry = passed[place - 1] ?? graph.input;
    const input = specs.get(entry) ?? part.input;
    const { refused } = writeOnnx({ ...pieceOf(part, entry, exit, input), constants: values });
    return { entry, exit, input, refused: refused.map(({ name, op, reason }) => `${name} (${op}): ${reason}`) };
  });
}

/** Shapes and types at nodes, found by running the part on zeros. */
function specsAt({ graph, constants, input }: FoldedGraph, names: readonly string[]): ReadonlyMap<string, TensorSpec> {
  const model = emptyModel(graph);
  const copies = [...constants].map(([name, value]) => (model.weights[name] = [value.clone()]));
  try {
    return probe(graph, model, names, input);
  } finally {
    dispose(copies.flat());
  }
}

function pieceOf({ graph, constants }: FoldedGraph, entry: string, exit: string, input: TensorSpec): FoldedGraph {
  const piece = nodePart(graph, entry, exit);
  const own = piece.nodes.flatMap(({ name }) => {
    const value = constants.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { graph: piece, constants: new Map(own), input };
}
