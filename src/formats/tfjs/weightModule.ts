// Reads models from npm modules, such as `nsfwjs/models/mobilenet_v2`: a JSON and base64 shards as functions.
import { bytesOfBase64 } from '../../core/base64.ts';
import { TransferKitError } from '../../core/errors.ts';
import { fromModelJson, type ModelArtefact } from './modelArtefact.ts';

/** A model inside a module. */
export interface WeightModule {
  readonly name: string;
  /** Returns the content of `model.json`, or a module with it as default export. */
  readonly modelJson: () => Promise<unknown>;
  /** Return the shards in base64, or modules with them as default exports. */
  readonly weightBundles: readonly (() => Promise<unknown>)[];
}

/** Returns the single model inside a module, or undefined when there is none. */
export function findWeightModule(source: unknown): WeightModule | undefined {
  if (isWeightModule(source)) return source;
  const found = typeof source === 'object' && source !== null ? Object.values(source).filter(isWeightModule) : [];
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Reads the model inside a module.
 *
 * @throws TransferKitError `NOT_A_MODEL`, `WEIGHTS_DAMAGED`.
 */
export async function readWeightModule(module: WeightModule): Promise<ModelArtefact> {
  const json = defaultOf(await module.modelJson());
  if (typeof json !== 'object' || json === null || !('modelTopology' in json)) throw notAModel(module, 'no model.json');
  const shards = await Promise.all(
    module.weightBundles.map(async (load) => decodeBase64(defaultOf(await load()), module)),
  );
  return fromModelJson(json, shards, module.name);
}

function isWeightModule(value: unknown): value is WeightModule {
  return (
    typeof value === 'object' &&
    value !== null &&
    'modelJson' in value &&
    typeof value.modelJson === 'function' &&
    'weightBundles' in value &&
    Array.isArray(value.weightBundles)
  );
}

/** Modules made from JSON or CommonJS have their content as default export. */
function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'default' in value ? value.default : value;
}

function decodeBase64(value: unknown, module: WeightModule): Uint8Array {
  if (typeof value !== 'string') throw notAModel(module, `a weight bundle of type ${typeof value}`);
  try {
    return bytesOfBase64(value);
  } catch (error) {
    throw notAModel(module, 'a weight bundle that is not base64', error);
  }
}

function notAModel(module: WeightModule, found: string, cause?: unknown): TransferKitError {
  const text = `expected module '${module.name}' to carry a model.json and base64 weight bundles, got ${found}.`;
  return new TransferKitError('NOT_A_MODEL', text, { module: module.name }, cause);
}
