// The verb useBackend: what it chooses, what it says about it, what it does when nothing works.
// prettier-ignore
import { copyRegisteredKernels, engine, env, getBackend, getKernel, registerBackend, registerKernel, removeBackend, setBackend, sum, ones as ones1d, tidy, unregisterKernel } from '@tensorflow/tfjs-core';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { chooseBackend } from '../../../src/engines/backends/chooseBackend.ts';
import { placeKernels } from '../../../src/engines/backends/placeKernels.ts';
import { carriedBinary } from '../../../src/engines/backends/tfjsWasm.ts';
import { wrongWindowKernels } from '../../../src/engines/backends/windowKernels.ts';
import { ensureBackend } from '../../../src/engines/backends/ensureBackend.ts';
import { isTransferKitError, type TransferKitError } from '../../../src/core/errors.ts';
import type { BackendLoader } from '../../../src/core/platform.ts';
import { kernelMakers } from '../../../src/engines/kernels/kernelConfigs.ts';
import { nodeBackends } from '../../../src/platform/node/backends.ts';
import { nodeThreads } from '../../../src/platform/node/threads.ts';
import { trainHead } from '../../../src/trainHead.ts';
import { useBackend } from '../../../src/useBackend.ts';
import { runFresh } from '../../support/freshProcess.ts';
import { tinySamples, tinyTransfer } from '../../support/tinyTask.ts';

const printed = ['log', 'warn', 'error'].map((name) =>
  vi.spyOn(console, name as 'log').mockImplementation(() => undefined),
);
afterEach(() => {
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
  expect(env().getBool('PROD')).toBe(false);
});

/** Replace kernels that wasm lacks, or that are slow or wrong there, module or not. */
const compositions = [
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'UnsortedSegmentSum',
  'Einsum',
  ...wrongWindowKernels,
  'GatherV2',
  'BatchMatMul',
  '_FusedMatMul',
];
const kernels = [...new Set([...compositions, ...kernelMakers.map(({ kernelName }) => kernelName)])];
const absent: BackendLoader = {
  name: 'absent',
  packageName: '@tensorflow/tfjs-backend-absent',
  load: async () => {
    const specifier = '@tensorflow/tfjs-backend-absent';
    await import(/* @vite-ignore */ specifier);
  },
};

/** A backend of another name, which computes on cpu. */
function registered(name: string): BackendLoader {
  const load = async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    registerBackend(name, () => engine().findBackendFactory('cpu')());
    copyRegisteredKernels('cpu', name);
  };
  return { name, packageName: 'none', load };
}

async function errorOf(promise: Promise<unknown>): Promise<TransferKitError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isTransferKitError(error)) throw new Error(`expected a TransferKitError, got ${String(error)}`);
  return error;
}

// The order matters: the first test finds tfjs with no backend at all.
describe('in a fresh process', () => {
  test('nothing installed: the error names the package and the command', async () => {
    expect(getBackend()).toBeUndefined();
    const error = await errorOf(chooseBackend([absent]));
    expect(error.code).toBe('PACKAGE_MISSING');
    expect(error.message).toBe(
      "[transferkit] expected the package of a backend ('absent'), but @tensorflow/tfjs-backend-absent " +
        'cannot be found. Install it: npm install @tensorflow/tfjs-backend-absent',
    );
  });

  test('cpu is not chosen by default if that is ruled out; a slow backend comes last', async () => {
    const cpu = nodeBackends.filter(({ name }) => name === 'cpu');
    const slow: BackendLoader = { ...absent, name: 'slow', drawback: () => Promise.resolve('in software') };
    const error = await errorOf(chooseBackend([slow, absent, ...cpu], undefined, { fallback: false }));
    expect(error.message).toContain("('absent', 'slow')");
    expect(getBackend()).toBeUndefined();
  });

  test('what is slow is asked only where nothing before it has started', async () => {
    const asked: string[] = [];
    const drawback = (name: string, reason?: string) => () => {
      asked.push(name);
      return Promise.resolve(reason);
    };
    const starts = registered('first');
    const loaders: BackendLoader[] = [
      { ...absent, name: 'software', drawback: drawback('software', 'in software') },
      { ...absent, drawback: () => Promise.reject(new Error('not found out')) },
      { ...starts, drawback: drawback('first') },
      { ...starts, name: 'second', drawback: drawback('second') },
    ];
    const { name, why, tried } = await chooseBackend(loaders);
    expect({ name, asked }).toEqual({ name: 'first', asked: ['software', 'first'] });
    expect(why).toBe(
      "the first that started, after software, absent, of this platform's: software, absent, first, second",
    );
    expect(tried).toEqual([
      { name: 'software', reason: 'in software' },
      { name: 'absent', reason: 'its package is not installed: npm install @tensorflow/tfjs-backend-absent' },
    ]);
    removeBackend('first');
  });

  test('ensureBackend, called twice at once, sets the default; wasm leaves no listeners in the process', async () => {
    const listeners = () => [...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')];
    const before = listeners();
    await Promise.all([ensureBackend(), ensureBackend()]);
    expect(getBackend()).toBe('wasm');
    expect(listeners()).toEqual(before);
    expect(await env().getAsync('WASM_HAS_SIMD_SUPPORT')).toBe(true);
  });

  test('the report is plain data', async () => {
    const report = await useBackend(['wasm', 'cpu']);
    const why = 'the first of those asked for: wasm, cpu';
    const threads = nodeThreads.cores();
    expect(report).toEqual({ name: 'wasm', why, tried: [], registered: kernels, threads, engine: 'own', notes: [] });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

test('keeps a backend that the app has set', async () => {
  await useBackend('cpu');
  const why = 'it was already set';
  expect(await useBackend()).toEqual({
    name: 'cpu',
    why,
    tried: [],
    registered: [],
    threads: 1,
    engine: 'own',
    notes: [],
  });
  await ensureBackend();
  expect(getBackend()).toBe('cpu');
});

test('waits for a backend that the app has set but that has not started', async () => {
  let starts = 0;
  registerBackend('slow', async () => {
    starts++;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return engine().findBackendFactory('cpu')();
  });
  copyRegisteredKernels('cpu', 'slow');
  const setting = setBackend('slow');
  expect((await useBackend()).name).toBe('slow');
  expect([await setting, starts]).toEqual([true, 1]);
});

test('cpu after others failed is a warning, on the console once, in the report and in logs', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const text =
    'the backend is cpu, 50 to 90 times slower than wasm, because nothing faster started ' +
    '(absent: its package is not installed: npm install @tensorflow/tfjs-backend-absent)';
  for (let i = 0; i < 2; i++) {
    const { name, notes } = await chooseBackend([absent, ...nodeBackends], ['absent', 'cpu']);
    expect({ name, notes }).toEqual({ name: 'cpu', notes: [text] });
  }
  expect(warn.mock.calls).toEqual([[`[transferkit] useBackend: ${text}.`]]);
  warn.mockRestore();
  const samples = tinySamples();
  const { backend, warnings } = await trainHead(await tinyTransfer(), samples);
  expect({ backend, first: warnings?.[0] }).toEqual({ backend: 'cpu', first: text });
  await useBackend('cpu');
  expect((await trainHead(await tinyTransfer(), samples)).warnings ?? []).not.toContain(text);
});

test('tries the next one, and reports the reason', async () => {
  const { name, why, tried } = await chooseBackend([absent, ...nodeBackends], ['absent', 'wasm']);
  expect({ name, why }).toEqual({
    name: 'wasm',
    why: 'the first that started, after absent, of those asked for: absent, wasm',
  });
  expect(tried).toEqual([
    { name: 'absent', reason: 'its package is not installed: npm install @tensorflow/tfjs-backend-absent' },
  ]);
});

describe('if no backend works', () => {
  test('each failure has its reason, and the previous backend is active again', async () => {
    await useBackend('cpu');
    registerBackend('broken', () => {
      throw new Error('no such device');
    });
    const error = await errorOf(useBackend(['broken', 'wsm']));
    expect(error.code).toBe('BACKEND_UNAVAILABLE');
    expect(error.message).toContain("expected one of the backends 'broken', 'wsm' to start, but none did");
    expect(error.message).toContain('(broken: no such device; wsm: no backend of that name; known are wasm, ');
    expect(error.message).toContain('npm install @tensorflow/tfjs-backend-wasm');
    expect(getBackend()).toBe('cpu');
    expect((await useBackend()).name).toBe('cpu');
  });

  test('a package that loads but does not offer its backend here', async () => {
    const loader: BackendLoader = { name: 'shy', packageName: 'shy-package', load: () => Promise.resolve() };
    const error = await errorOf(chooseBackend([loader], ['shy']));
    expect(error.message).toContain('(shy: shy-package does not offer it in this environment)');
  });

  test('wrong numbers', async () => {
    registerBackend('liar', () => engine().findBackendFactory('cpu')());
    copyRegisteredKernels('cpu', 'liar');
    const { kernelFunc } = getKernel('Conv2DBackpropFilter', 'liar');
    unregisterKernel('Conv2DBackpropFilter', 'liar');
    registerKernel({
      kernelName: 'Conv2DBackpropFilter',
      backendName: 'liar',
      kernelFunc: ({ inputs, ...rest }) => kernelFunc({ ...rest, inputs: { x: inputs.x!, dy: getZeros(inputs.dy!) } }),
    });
    const error = await errorOf(useBackend('liar'));
    expect(error.code).toBe('BACKEND_WRONG_RESULT');
    expect(error.message).toBe(
      "[transferkit] useBackend: backend 'liar': expected 11 as value 0 of the gradient by the filter of a small convolution, got 0. " +
        "Its numbers cannot be trusted on this machine; choose another, such as useBackend('cpu').",
    );
    expect(getBackend()).toBe('cpu');
  });

  test('a backend without gradients', async () => {
    registerBackend('poor', () => engine().findBackendFactory('cpu')());
    copyRegisteredKernels('cpu', 'poor');
    unregisterKernel('Conv2DBackpropInput', 'poor');
    const before = engine().state.numTensors;
    const error = await errorOf(useBackend('poor'));
    expect(error.code).toBe('BACKEND_UNAVAILABLE');
    expect(error.message).toContain('but it failed: it has no kernel Conv2DBackpropInput. Choose another');
    expect(engine().state.numTensors).toBe(before);
  });

  test.each([[[]], [['']], [3], [['cpu', null]]])('an invalid preference: %o', async (preference) => {
    const error = await errorOf(useBackend(preference as string[]));
    expect(error.code).toBe('INVALID_OPTION');
    expect(error.message).toContain(
      "expected the name of a backend or a list of names ('wasm', 'cpu', 'webgpu'), got ",
    );
  });
});

describe('kernels for wasm', () => {
  test('are registered once', async () => {
    await useBackend('wasm');
    const first = kernels.map((name) => getKernel(name, 'wasm'));
    expect((await useBackend('wasm')).registered).toEqual(kernels);
    expect(kernels.every((name, i) => getKernel(name, 'wasm') === first[i])).toBe(true);
  });

  test("without the module, compositions and tfjs's kernels are used", async () => {
    const { registered, threads } = await useBackend('wasm', { kernels: false });
    expect({ registered, threads }).toEqual({ registered: compositions, threads: 1 });
    expect((await useBackend('wasm')).registered).toEqual(compositions);
    expect((await useBackend('wasm', { kernels: true })).registered).toEqual(kernels);
  });

  test("tfjs's own kernels have priority, except those that are replaced on purpose", () => {
    const theirs = (kernelName: string) => ({ kernelName, backendName: 'wasm', kernelFunc: () => [] });
    for (const name of ['UnsortedSegmentSum', 'Conv2DBackpropInput']) {
      unregisterKernel(name, 'wasm');
      registerKernel(theirs(name));
    }
    expect(placeKernels(undefined)).toEqual(compositions.filter((name) => name !== 'UnsortedSegmentSum'));
    unregisterKernel('UnsortedSegmentSum', 'wasm');
    expect(placeKernels(undefined)).toEqual(compositions);
  });
});

describe('threads', () => {
  const ones = () => sum(ones1d([1_000_000])).dataSync()[0];

  test('as many as requested, repeatedly', async () => {
    for (const threads of [1, 3, 2]) {
      expect(await useBackend('wasm', { threads })).toMatchObject({ threads, notes: [] });
      expect(tidy(ones)).toBe(1_000_000);
    }
    expect((await useBackend('wasm')).threads).toBe(2);
  });

  test.each([0, 1.5, NaN, '2'])('an invalid number of threads: %s', async (threads) => {
    const error = await errorOf(useBackend('wasm', { threads: threads as number }));
    expect(error.code).toBe('INVALID_OPTION');
    expect(error.message).toContain('expected threads to be a whole number from 1');
  });

  test('several, also if the app has replaced fetch', async () => {
    const script = `
      import { useBackend } from 'transferkit';
      globalThis.fetch = () => Promise.reject(new Error('offline'));
      console.log(JSON.stringify(await useBackend('wasm', { threads: 2 })));`;
    expect(JSON.parse(await runFresh(script, []))).toMatchObject({ threads: 2, notes: [] });
  });

  test.each(['cjs', 'esm'] as const)('several in a bundle (%s) with the binaries in its folder', async (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'transferkit-'));
    const outfile = join(folder, `bundle.${format === 'cjs' ? 'cjs' : 'mjs'}`);
    const source = (path: string) => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));
    const dist = fileURLToPath(new URL('../../../node_modules/@tensorflow/tfjs-backend-wasm/dist', import.meta.url));
    await build({
      stdin: {
        contents: `
          import { useBackend } from 'transferkit';
          useBackend('wasm', { threads: 2 }).then((report) => console.log(JSON.stringify(report)));`,
        resolveDir: source(''),
      },
      ...{ outfile, format, bundle: true, platform: 'node', logLevel: 'silent' },
      alias: { '#platform': source('platform/node/platform.ts'), transferkit: source('index.ts') },
      external: ['sharp', '@tensorflow/tfjs-backend-webgl', '@tensorflow/tfjs-backend-webgpu'],
      banner: { js: format === 'cjs' ? '' : esmBanner },
    });
    cpSync(join(dist, 'tfjs-backend-wasm-simd.wasm'), join(folder, 'tfjs-backend-wasm-simd.wasm'));
    const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
    rmSync(folder, { recursive: true });
    expect(JSON.parse(stdout)).toMatchObject({ threads: 2, notes: [] });
  });

  test('one in a Node without fetch', async () => {
    const script = `
      delete globalThis.fetch;
      delete globalThis.Response;
      const { useBackend } = await import('transferkit');
      console.log(JSON.stringify(await useBackend('wasm', { threads: 2 })));`;
    expect(JSON.parse(await runFresh(script, []))).toMatchObject({ name: 'wasm', threads: 1 });
  });

  test('as many as can be started, with the reason', async () => {
    const start = nodeThreads.start.bind(nodeThreads);
    const starting = vi.spyOn(nodeThreads, 'start');
    const refuse = () => {
      throw new Error('Access to this API has been restricted.');
    };
    const reason = 'the environment starts no more (Access to this API has been restricted.)';
    starting.mockImplementation(refuse);
    expect(await useBackend('wasm', { threads: 4 })).toMatchObject({ threads: 1, notes: [`one thread: ${reason}`] });
    expect(tidy(ones)).toBe(1_000_000);
    starting.mockImplementationOnce(start);
    expect(await useBackend('wasm', { threads: 3 })).toMatchObject({ threads: 2, notes: [`2 threads: ${reason}`] });
    expect(tidy(ones)).toBe(1_000_000);
    starting.mockRestore();
  });

  test('no more than 64, with the reason', async () => {
    expect(await useBackend('wasm', { threads: 1e6 })).toMatchObject({
      threads: 64,
      notes: ['64 threads: transferkit starts no more'],
    });
    expect(await useBackend('wasm', { threads: 2 })).toMatchObject({ threads: 2, notes: [] });
  });

  test('the failure of one does not stop the others', async () => {
    const failed = nodeThreads.start('() => { throw new Error("the test"); }', undefined);
    const starting = vi.spyOn(nodeThreads, 'start').mockReturnValue(failed);
    expect(await useBackend('wasm', { threads: 5 })).toMatchObject({ threads: 5, notes: [] });
    await new Promise((resolve) => setTimeout(resolve, 300)); // An uncaught error fails the test.
    expect(tidy(ones)).toBe(1_000_000);
    starting.mockRestore();
  });

  test('do not load the preloaded modules of the app', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'transferkit-'));
    const preload = join(folder, 'preload.cjs');
    writeFileSync(preload, "if (!require('node:worker_threads').isMainThread) console.log('loaded');");
    vi.stubEnv('NODE_OPTIONS', `--require ${preload}`);
    const script = `
      import { useBackend } from 'transferkit';
      await useBackend('wasm', { threads: 3 });
      await new Promise((resolve) => setTimeout(resolve, 300));`;
    expect(await runFresh(script, [])).toBe('');
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test('on a backend that the app has started again', async () => {
    await useBackend('wasm', { threads: 2 });
    tidy(ones);
    const factory = engine().findBackendFactory('wasm');
    removeBackend('wasm');
    registerBackend('wasm', factory);
    expect(await useBackend('wasm', { threads: 2 })).toMatchObject({ threads: 2, notes: [], registered: kernels });
    expect(tidy(ones)).toBe(1_000_000);
  });

  test('kernels is a boolean', async () => {
    const error = await errorOf(useBackend('wasm', { kernels: 'no' as unknown as boolean }));
    expect(error.message).toContain("expected kernels to be true or false, got 'no'");
  });

  test.each([
    [7, 'expected binary to be an address'],
    ['', 'expected binary to be an address'],
    [{ address: '/a.wasm', hash: 'sha384-x' }, "expected known options of binary, got 'hash'"],
    [{ address: '/a.wasm', integrity: 7 }, 'expected binary to be an address'],
  ])('binary %j is refused', async (binary, text) => {
    const error = await errorOf(useBackend('wasm', { binary: binary as string }));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(text) as string });
  });

  test('the carried binary is that of the installed version, and no other', async () => {
    const folder = new URL('.', import.meta.resolve('@tensorflow/tfjs-backend-wasm'));
    const file = readFileSync(new URL('tfjs-backend-wasm-simd.wasm', folder));
    expect(Buffer.from(await carriedBinary('4.22.0')).equals(file)).toBe(true);
    await expect(carriedBinary('4.23.0')).rejects.toThrow(
      /4\.22\.0, but 4\.23\.0 is installed; install 4\.22\.0, or give the address/,
    );
  });

  test('one, with the reason, if the app has started wasm before; the process ends by itself', async () => {
    const script = `
      import { setBackend } from '@tensorflow/tfjs-core';
      import '@tensorflow/tfjs-backend-wasm';
      import { useBackend } from 'transferkit';
      await setBackend('wasm');
      console.log(JSON.stringify(await useBackend('wasm')));`;
    const { threads, notes } = JSON.parse(await runFresh(script, [])) as { threads: number; notes: string[] };
    expect(threads).toBe(1);
    expect(notes.join()).toContain('one thread: the memory of the backend cannot be shared');
  });
});

/** What packages of CommonJS expect, and bundles of ES modules do not have by themselves. */
const esmBanner = `
  import { createRequire as makeRequire } from 'node:module';
  const require = makeRequire(import.meta.url);
  const __filename = process.argv[1];
  const __dirname = __filename.slice(0, __filename.lastIndexOf('/'));`;

/** A tensor of zeros in the shape of another, on the cpu backend. */
function getZeros(info: { shape: number[] }) {
  return engine().makeTensor(new Float32Array(info.shape.reduce((a, b) => a * b, 1)), info.shape, 'float32');
}
