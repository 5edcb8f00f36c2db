// Runs a packed graph in tfjs, as whoever reads the file does.
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter';
import { writeNodes } from '../networks/graphs/nodeGraph.ts';
import type { PackedNodes } from './packNodes.ts';

/** Loads a graph with its weights. The caller disposes of it. */
export async function startGraph({ graph, weightSpecs, weightData }: PackedNodes): Promise<GraphModel> {
  const artifacts = { modelTopology: writeNodes(graph), format: 'graph-model', weightSpecs, weightData };
  return loadGraphModel({ load: () => Promise.resolve(artifacts) });
}
