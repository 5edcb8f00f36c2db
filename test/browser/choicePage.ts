// What the test of the default backend does inside the page: chooses it, and counts what the graphics card is asked.
import { useBackend, type BackendReport } from '../../src/index.ts';

declare global {
  interface Window {
    choice?: () => Promise<{ readonly report: BackendReport; readonly asked: readonly string[] }>;
  }
}

window.choice = async () => {
  const asked: string[] = [];
  watch(Reflect.get(navigator, 'gpu'), 'requestAdapter', () => asked.push('adapter'));
  for (const { prototype } of [OffscreenCanvas, HTMLCanvasElement]) {
    watch(prototype, 'getContext', () => asked.push('context'));
  }
  const report = await useBackend();
  return { report, asked };
};

function watch(owner: object, name: string, see: () => void): void {
  const original = Reflect.get(owner, name) as (...given: unknown[]) => unknown;
  Reflect.set(owner, name, function (this: unknown, ...given: unknown[]) {
    see();
    return original.apply(this, given);
  });
}
