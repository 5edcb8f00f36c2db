// Finds out whether a page draws in software: a GPU backend is then 10 to 40 times slower than wasm.

/** Software renderers: of Chromium, of Mesa, of Windows, of Apple's simulators. */
const software = /swiftshader|llvmpipe|softpipe|lavapipe|software|basic render|microsoft basic/i;

interface GpuAdapter {
  readonly isFallbackAdapter?: boolean;
  readonly info?: Readonly<Record<string, unknown>>;
}

interface Gpu {
  requestAdapter(): Promise<GpuAdapter | null>;
}

/** Whether the browser has WebGPU in this page. */
export function hasWebgpu(): boolean {
  return gpu() !== undefined;
}

/** The adapter that tfjs would use; null where there is none. */
export async function webgpuAdapter(): Promise<GpuAdapter | null> {
  return (await gpu()?.requestAdapter()) ?? null;
}

function gpu(): Gpu | undefined {
  const found: unknown = 'gpu' in navigator ? navigator.gpu : undefined;
  return isGpu(found) ? found : undefined;
}

function isGpu(value: unknown): value is Gpu {
  return (
    typeof value === 'object' &&
    value !== null &&
    'requestAdapter' in value &&
    typeof value.requestAdapter === 'function'
  );
}

/** Why WebGPU is slow here; undefined where it is not, or where there is none. */
export async function softwareWebgpu(): Promise<string | undefined> {
  const adapter = await webgpuAdapter();
  if (adapter === null) return undefined;
  const { vendor = '', architecture = '', device = '', description = '' } = adapter.info ?? {};
  const name = [vendor, architecture, device, description].map(String).join(' ').trim();
  const isSoftware =
    adapter.isFallbackAdapter === true || adapter.info?.isFallbackAdapter === true || software.test(name);
  return isSoftware ? reason(name) : undefined;
}

/** Why WebGL is slow here; undefined where it is not, or where there is none. */
export function softwareWebgl(): string | undefined {
  const canvas = typeof OffscreenCanvas === 'undefined' ? document.createElement('canvas') : new OffscreenCanvas(1, 1);
  const context = canvas.getContext('webgl2');
  if (!(context instanceof WebGL2RenderingContext)) return undefined;
  const extension = context.getExtension('WEBGL_debug_renderer_info');
  const renderer: unknown = context.getParameter(extension?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return software.test(String(renderer)) ? reason(String(renderer)) : undefined;
}

function reason(renderer: string): string {
  return `this page draws in software (${renderer.slice(0, 80)}), where wasm is faster`;
}
