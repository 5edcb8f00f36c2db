// What the test of responsiveness does inside the page: verbs on its main thread, watched by a timer.
import {
  evaluate,
  fromArrays,
  knn,
  loadBase,
  predict,
  replaceHead,
  trainHead,
  useBackend,
  type Base,
  type TransferModel,
} from '../../src/index.ts';
import { randomGenerator } from '../../src/core/random.ts';

/** What a verb did to the page. */
export interface Watched {
  readonly milliseconds: number;
  /** Longest gap of a 5 ms timer. */
  readonly longestGap: number;
}

/** What runs in the page. */
export interface ResponsiveInPage {
  prepare(): Promise<string>;
  watch(verb: 'trainHead' | 'evaluate' | 'predict' | 'knn'): Promise<Watched>;
  /** Predictions of one batch, and of each example alone. */
  predictions(): Promise<readonly [whole: unknown, alone: unknown]>;
}

declare global {
  interface Window {
    responsive?: ResponsiveInPage;
  }
}

const size = 96;
const labels = ['a', 'b'];
const random = randomGenerator(1);
const inputs = Array.from({ length: 32 }, () => Float32Array.from({ length: size * size * 3 }, () => random() - 0.5));
const samples = fromArrays({ inputs, targets: inputs.map((_, i) => labels[i % 2] ?? '') });
let base: Base | undefined;
let model: TransferModel<'classes'> | undefined;

const verbs = {
  trainHead: (own: TransferModel<'classes'>) => trainHead(own, samples),
  evaluate: (own: TransferModel<'classes'>) => evaluate(own, samples),
  predict: (own: TransferModel<'classes'>) => predict(own, inputs),
  knn: async (own: TransferModel<'classes'>) => (await knn(own.base)).addAll(samples),
};

window.responsive = {
  async prepare() {
    const { name } = await useBackend('wasm');
    base = await loadBase('mobilenet', {
      weights: null,
      inputSize: size,
      preprocess: { kind: 'tensor', shape: [size, size, 3], dtype: 'float32' },
    });
    model = replaceHead(base, { labels });
    await trainHead(model, samples);
    return name;
  },
  async watch(verb) {
    if (model === undefined) throw new Error('prepare first');
    let last = performance.now();
    let longestGap = 0;
    const look = () => {
      longestGap = Math.max(longestGap, performance.now() - last);
      last = performance.now();
    };
    const timer = setInterval(look, 5);
    const start = performance.now();
    await verbs[verb](model);
    look();
    clearInterval(timer);
    return { milliseconds: performance.now() - start, longestGap };
  },
  async predictions() {
    if (model === undefined) throw new Error('prepare first');
    const alone = [];
    for (const input of inputs) alone.push(await predict(model, input));
    return [await predict(model, inputs), alone];
  },
};
