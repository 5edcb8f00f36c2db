// Assigns the weights of a Keras file to a network, and reports the differences.
import { tensor } from '@tensorflow/tfjs-core';
import type { LayerGraph } from '../../core/graphs.ts';
import { internalError, TransferKitError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { describeShape, sameShape } from '../../core/shapes.ts';
import type { WeightsReport } from '../../model/model.ts';
import { sourceOf, type WeightSource } from '../../core/weightSource.ts';
import { parseTopology } from '../../networks/read/topology.ts';
import { withoutKeras1 } from './keras1.ts';
import type { KerasFile } from './kerasFile.ts';
import { candidatePairs, expectedLayers, type ExpectedLayer, type Pairs } from './matchWeights.ts';
import type { ModelArtefact } from '../tfjs/modelArtefact.ts';

/** Matching weights, and the differences. */
export interface MatchedWeights {
  readonly source: WeightSource;
  readonly report: WeightsReport;
}

/** Options of the matching. */
export interface MatchOptions {
  /** Use the weights that fit instead of raising when some do not. Default `false`. */
  readonly partial?: boolean | undefined;
  /** Names of the layers that need weights: those up to the cut. Default: all. */
  readonly needed?: ReadonlySet<string> | undefined;
}

/**
 * Finds the weights of a network in a Keras file. Their values are read later.
 *
 * @param graph - The whole network with its classifier: weights of other layers are unexpected.
 * @throws TransferKitError `WEIGHTS_MISMATCH` naming the first ten tensors that differ; with `partial`, only when
 * nothing fits.
 */
export function matchKerasWeights(file: KerasFile, graph: LayerGraph, options: MatchOptions = {}): MatchedWeights {
  const layers = expectedLayers(graph);
  const { named, ordered } = candidatePairs(file, layers);
  const reports = [named, ...(ordered === undefined ? [] : [ordered])].map((pairs) => ({
    pairs,
    report: reportOf(file, layers, pairs, options.needed),
  }));
  const perfect = reports.find(({ report }) => isPerfect(report));
  const chosen = perfect ?? reports[0];
  if (chosen === undefined) throw internalError('no assignment');
  const { pairs, report } = chosen;
  const isEnough = options.partial === true && report.assigned.length > 0;
  if (perfect === undefined && !isEnough) throw mismatch(file, graph, report);
  const assigned = new Set(report.assigned);
  const entries = [...pairs].filter(([name]) => assigned.has(name));
  return {
    report,
    source: sourceOf(
      new Map(
        entries.map(([name, weight]) => {
          const { shape } = weight;
          return [name, { shape, read: () => tensor(weight.read(), [...shape], 'float32') }];
        }),
      ),
    ),
  };
}

/**
 * Converts a whole model of Keras to an artefact.
 *
 * @throws TransferKitError `NOT_A_MODEL` when the file holds only weights, `UNSUPPORTED_SOURCE` for layers of Keras 1
 * that cannot be converted.
 */
export function kerasArtefact(stored: KerasFile): ModelArtefact {
  const file = withoutKeras1(stored);
  if (file.topology === undefined) {
    const text =
      `expected a whole model in ${file.source}, got weights alone. Pass the file as the weights of a preset ` +
      '(loadBase("mobilenet_v2", { weights: file })), or save the whole model in Python: model.save("model.keras").';
    throw new TransferKitError('NOT_A_MODEL', text, { source: file.source });
  }
  let matched: MatchedWeights | undefined;
  return {
    source: file.source,
    topology: file.topology,
    metadata: isJsonObject(file.saved) ? { transferkit: file.saved } : {},
    weights: (wanted) => {
      matched ??= matchKerasWeights(file, parseTopology(file.topology));
      const { source } = matched;
      return { ...source, names: source.names.filter(wanted) };
    },
  };
}

function reportOf(
  file: KerasFile,
  layers: readonly ExpectedLayer[],
  pairs: Pairs,
  needed: ReadonlySet<string> | undefined,
): WeightsReport {
  const expected = layers.flatMap(({ name, weights = [] }) =>
    weights.map((weight) => ({ ...weight, isNeeded: needed?.has(name) !== false })),
  );
  const shapes = new Map(expected.map(({ name, shape }) => [name, shape]));
  const fits = ([name, { shape }]: readonly [string, { readonly shape: readonly number[] }]) =>
    sameShape(shapes.get(name) ?? shape, shape);
  const used = new Set([...pairs.values()].map(({ location }) => location));
  const stored = file.layers.flatMap((layer) => layer.weights);
  return {
    assigned: [...pairs].filter(fits).map(([name]) => name),
    missing: expected.filter(({ name, isNeeded }) => isNeeded && !pairs.has(name)).map(({ name }) => name),
    unexpected: stored.filter(({ location }) => !used.has(location)).map(({ location }) => location),
    wrongShape: expected.flatMap(({ name, shape, isNeeded }) => {
      const received = pairs.get(name)?.shape;
      return !isNeeded || received === undefined || sameShape(shape, received)
        ? []
        : [{ name, expected: shape, received }];
    }),
  };
}

function isPerfect({ missing, unexpected, wrongShape }: WeightsReport): boolean {
  return missing.length === 0 && unexpected.length === 0 && wrongShape.length === 0;
}

function mismatch(file: KerasFile, graph: LayerGraph, report: WeightsReport): TransferKitError {
  const { assigned, missing, unexpected, wrongShape } = report;
  const differing = [
    ...wrongShape.map(
      (each) => `${each.name} ${describeShape(each.received)} instead of ${describeShape(each.expected)}`,
    ),
    ...missing.map((name) => `${name} missing`),
    ...unexpected.map((name) => `${name} unexpected`),
  ];
  return new TransferKitError(
    'WEIGHTS_MISMATCH',
    `expected the weights of '${graph.name}' in ${file.source}, got ${String(assigned.length)} that fit, ` +
      `${String(missing.length)} missing, ${String(wrongShape.length)} of another shape, ${String(unexpected.length)} ` +
      `unexpected: ${differing.slice(0, 10).join('; ')}${differing.length > 10 ? '; …' : ''}. Take the file of this ` +
      'architecture, or pass partial: true to load what fits.',
    { ...report, source: file.source },
  );
}
