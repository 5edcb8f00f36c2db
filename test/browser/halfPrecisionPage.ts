// What the test of 16 bits does inside the page: chooses a backend and trains on it, where webgl computes with 16 bits.
import '@tensorflow/tfjs-backend-webgl';
import { env } from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import {
  fineTune,
  fromArrays,
  loadBase,
  replaceHead,
  useBackend,
  type BackendReport,
  type TrainingLog,
} from '../../src/index.ts';

/** What a page has. */
interface Given {
  /** Whether webgl computes with 16 bits, as on phones that cannot draw to textures of 32. */
  readonly isHalf: boolean;
  /** The renderer that the browser tells, in place of its own. */
  readonly renderer?: string;
  /** The backend to ask for. */
  readonly backend?: string;
}

/** What runs in the page. */
export interface HalfPrecision {
  choose(given: Given): Promise<BackendReport>;
  train(): Promise<TrainingLog>;
}

declare global {
  interface Window {
    halfPrecision?: HalfPrecision;
  }
}

function hideRenderer(renderer: string): void {
  const { prototype } = WebGL2RenderingContext;
  // Called below with the context that it belongs to.
  const original = Reflect.get(prototype, 'getParameter') as (name: number) => unknown;
  const unmaskedRenderer = 0x9246;
  Reflect.set(prototype, 'getParameter', function (this: WebGL2RenderingContext, name: number) {
    return name === unmaskedRenderer ? renderer : original.call(this, name);
  });
}

window.halfPrecision = {
  async choose({ isHalf, renderer, backend }) {
    env().set('WEBGL_FORCE_F16_TEXTURES', isHalf);
    if (renderer !== undefined) hideRenderer(renderer);
    return useBackend(backend);
  },
  async train() {
    const kernelInitializer = initializers.heNormal({ seed: 1 });
    const network = sequential({ name: 'small' });
    network.add(layers.flatten({ inputShape: [4, 4, 3], name: 'flat' }));
    network.add(layers.dense({ units: 4, kernelInitializer, name: 'features' }));
    network.add(layers.dense({ units: 3, kernelInitializer, name: 'classifier' }));
    const inputs = Array.from({ length: 8 }, (_, i) =>
      new Float32Array(48).map((_, j) => Math.sin(i + j * (1 + (i % 2)))),
    );
    const samples = fromArrays({ inputs, targets: inputs.map((_, i) => (i % 2 === 0 ? 'even' : 'odd')) });
    const model = replaceHead(await loadBase(network), { labels: ['even', 'odd'] });
    return fineTune(model, samples, { epochs: 1, headEpochs: 0, batchSize: 8, seed: 1 });
  },
};
