// Whole models of Keras 1 have other classes and options than those of Keras 2: they are recognised in order to be refused.
import { TransferKitError } from '../core/errors.ts';
import { isJsonList, isJsonObject, type Json } from '../core/json.ts';

const classes =
  /^(Atrous|Separable)?Convolution\dD$|^Deconvolution2D$|^Merge$|^MaxoutDense$|^Highway$|^TimeDistributedDense$/;
/** Options that Keras 2 renamed; `output_dim` it kept for Embedding. */
const options = ['nb_filter', 'border_mode', 'subsample', 'dim_ordering', 'nb_row', 'output_dim'];

/**
 * Raises when a topology is that of Keras 1.
 *
 * @throws TransferKitError `UNSUPPORTED_SOURCE`, naming the first layer that tells.
 */
export function refuseKeras1(topology: unknown, source: string): void {
  const layer = layersOf(topology, 0).find(isOld);
  if (layer === undefined) return;
  const name = isJsonObject(layer.config) ? String(layer.config.name) : '';
  const found = `${String(layer.class_name)} '${name}'`.slice(0, 100);
  const text =
    `loadBase: expected a model of Keras 2 or later in ${source}, got one of Keras 1 (its layer ${found}). Save it again in ` +
    'Python with Keras 2.2: load_model(path).save("model.h5"). Files of weights of Keras 1 are read, as weights of a preset.';
  throw new TransferKitError('UNSUPPORTED_SOURCE', text, { source, layer: found });
}

interface Layer {
  readonly class_name: Json | undefined;
  readonly config: Json | undefined;
}

function isOld({ class_name: name, config }: Layer): boolean {
  if (typeof name !== 'string') return false;
  if (classes.test(name)) return true;
  return name !== 'Embedding' && isJsonObject(config) && options.some((option) => option in config);
}

/** Layers, those of nested models too; Keras 1 writes a Sequential's as a plain list. */
function layersOf(topology: unknown, depth: number): Layer[] {
  if (!isJsonObject(topology) || depth > 20) return [];
  const described = isJsonObject(topology.model_config) ? topology.model_config : topology;
  const { config } = described;
  const list = isJsonList(config) ? config : isJsonObject(config) && isJsonList(config.layers) ? config.layers : [];
  const layers = list.filter(isJsonObject);
  return layers.flatMap((layer) => [
    { class_name: layer.class_name, config: layer.config },
    ...layersOf(layer, depth + 1),
  ]);
}
