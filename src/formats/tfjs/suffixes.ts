// Removes suffixes that weights have and their layers lack. Keras 2 writes `conv2d_10_1/kernel` for the layer
// `conv2d_10` when the network was built a second time in one process: TensorFlow makes variable scopes unique by `_1`,
// `_2`, ….
import type { io } from '@tensorflow/tfjs-core';
import { parseTopology } from '../../networks/read/topology.ts';
import { isNodeTopology } from '../../networks/graphs/nodeGraph.ts';
import { weightShapes, type LayerWeights } from '../../networks/read/weightShapes.ts';
import { sameShape } from '../../core/shapes.ts';

type Spec = io.WeightsManifestEntry;

/**
 * Returns specs under the names of the network's layers. They stay unchanged where all names of layers match already,
 * and where more than one assignment is possible.
 */
export function withoutSuffixes(specs: readonly Spec[], topology: unknown): readonly Spec[] {
  const scopes = scopesOf(specs);
  // Names of nested models and wrapped layers contain other layers' names.
  if (topology === undefined || isNodeTopology(topology) || [...scopes.keys()].some((scope) => scope.includes('/'))) {
    return specs;
  }
  const graph = parseTopology(topology);
  if ([...scopes.keys()].every((scope) => graph.layers.has(scope))) return specs;
  const layers = weightShapes(graph).filter(
    ({ className, weights }) => className !== 'InputLayer' && weights?.length !== 0,
  );
  const names = inOrder(scopes, layers) ?? bySuffix(scopes, layers);
  return specs.map((spec) => {
    const { scope, own } = split(spec.name);
    return { ...spec, name: `${names.get(scope) ?? scope}/${own}` };
  });
}

type Scopes = ReadonlyMap<string, readonly Spec[]>;

function scopesOf(specs: readonly Spec[]): Scopes {
  const scopes = new Map<string, Spec[]>();
  for (const spec of specs) {
    const { scope } = split(spec.name);
    scopes.set(scope, [...(scopes.get(scope) ?? []), spec]);
  }
  return scopes;
}

function split(name: string): { scope: string; own: string } {
  const slash = name.lastIndexOf('/');
  return { scope: name.slice(0, Math.max(0, slash)), own: name.slice(slash + 1) };
}

/** Assigns the k-th scope to the k-th layer, where every name and shape matches; undefined otherwise. */
function inOrder(scopes: Scopes, layers: readonly LayerWeights[]): ReadonlyMap<string, string> | undefined {
  if (scopes.size !== layers.length) return undefined;
  const pairs = [...scopes].map(([scope, specs], i) => ({ scope, specs, layer: layers[i] }));
  const names = pairs.flatMap(({ scope, specs, layer }): [string, string][] =>
    layer !== undefined && mayBe(scope, layer.layer) && fits(specs, layer) ? [[scope, layer.layer]] : [],
  );
  return names.length === pairs.length ? new Map(names) : undefined;
}

/** Assigns scopes without a layer to layers without a scope by their suffix; none where two claim one layer. */
function bySuffix(scopes: Scopes, layers: readonly LayerWeights[]): ReadonlyMap<string, string> {
  const known = new Set(layers.map(({ layer }) => layer));
  const free = [...scopes].filter(([scope]) => !known.has(scope));
  const claims = layers
    .filter(({ layer }) => !scopes.has(layer))
    .map((layer) => ({ layer, of: free.filter(([scope, specs]) => mayBe(scope, layer.layer) && fits(specs, layer)) }));
  return new Map(
    claims.flatMap(({ layer, of }): [string, string][] => {
      const [scope] = of[0] ?? [];
      const isOnly =
        of.length === 1 && claims.filter((claim) => claim.of.some(([other]) => other === scope)).length === 1;
      return scope !== undefined && isOnly ? [[scope, layer.layer]] : [];
    }),
  );
}

function mayBe(scope: string, layer: string): boolean {
  return scope === layer || (scope.startsWith(`${layer}_`) && /^\d+$/.test(scope.slice(layer.length + 1)));
}

function fits(specs: readonly Spec[], { weights }: LayerWeights): boolean {
  if (weights === undefined) return true;
  const shapeOf = new Map(weights.map(({ name, shape }) => [split(name).own, shape]));
  return (
    specs.length === weights.length &&
    specs.every(({ name, shape }) => sameShape(shapeOf.get(split(name).own) ?? [NaN], shape))
  );
}
