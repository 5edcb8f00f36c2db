// Networks to build on: those that lie beside the page, and those that the user opens.
import type { BaseSource } from './kit.ts';
import type { ChosenBase } from './state.ts';

/** A network in the folder `models` of the page; the build lists them in `models/index.json`. */
export interface KnownBase {
  readonly path: string;
  readonly name: string;
  /** How pixels are scaled; missing where the model says it itself. */
  readonly preprocess?: string;
  /** First layer that is trained with the end of the base. */
  readonly trainFrom?: string;
}

/** Ways to scale pixels, as `loadBase` names them. */
export const scalings = ['tf', 'unit', 'torch', 'caffe', 'raw'] as const;

/** A way to scale pixels. */
export type Scaling = (typeof scalings)[number];

/** Lists the networks beside the page; none where the list cannot be read. */
export async function listBases(): Promise<KnownBase[]> {
  try {
    const answer = await fetch('models/index.json');
    const list: unknown = answer.ok ? await answer.json() : [];
    return Array.isArray(list) ? list.filter(isKnownBase) : [];
  } catch {
    return [];
  }
}

function isKnownBase(value: unknown): value is KnownBase {
  return typeof value === 'object' && value !== null && 'path' in value && 'name' in value;
}

/** Whether a text is a way to scale pixels. */
export function isScaling(text: string | undefined): text is Scaling {
  return scalings.some((scaling) => scaling === text);
}

/** What `loadBase` of the worker takes for a chosen base. */
export async function sourceOf({ path, opened }: ChosenBase): Promise<BaseSource> {
  if (opened === undefined) return new URL(path ?? '', document.baseURI).href;
  const [first] = opened.files;
  if (first !== undefined && opened.files.length === 1) return new Uint8Array(await first.arrayBuffer());
  const { io } = await import('@tensorflow/tfjs-core');
  return io.browserFiles([...opened.files].sort((a, b) => Number(isJson(b)) - Number(isJson(a))));
}

function isJson({ name }: File): boolean {
  return name.endsWith('.json');
}

/** Whether files are a model: one archive, or a model.json with its weights. */
export function isModel(files: readonly File[]): boolean {
  const [first] = files;
  if (first === undefined) return false;
  return files.length === 1 ? first.name.endsWith('.zip') : files.filter(isJson).length === 1;
}
