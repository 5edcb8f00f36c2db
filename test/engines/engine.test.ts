// Engines for what is frozen, without the package of one: what is said where it is missing or fails, and what stays as it
// was. `npm run test:engine` runs the suites of exactness and test/engines/onnxruntime.test.ts on the real one.
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { platform } from '../../src/platform/node/platform.ts';
import { MissingPackage } from '../../src/core/importFailure.ts';
import type { OnnxRuntime, OnnxTensor } from '../../src/core/onnxRuntime.ts';
import { knn, loadBase, predict, useBackend, type Base } from '../../src/index.ts';
import { expectNoLeak } from '../support/tensors.ts';
import { tinyModel, wave } from '../support/tinyModel.ts';
import { tinyTransfer } from '../support/tinyTask.ts';

beforeAll(async () => {
  await useBackend('cpu');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await useBackend('cpu', { engine: 'own' });
});

/** A runtime whose sessions do as told. */
function runtime(
  run: () => Promise<Record<string, OnnxTensor>>,
  refusal?: Error,
  opened: (options: unknown) => void = () => undefined,
) {
  const release = vi.fn(() => Promise.resolve());
  class Tensor implements OnnxTensor {
    constructor(
      readonly type: string,
      readonly data: unknown,
      readonly dims: readonly number[],
    ) {}
    dispose() {
      return undefined;
    }
  }
  const found: OnnxRuntime = {
    InferenceSession: {
      create: (_, options) => {
        opened(options);
        return refusal === undefined ? Promise.resolve({ run, release }) : Promise.reject(refusal);
      },
    },
    Tensor,
  };
  vi.spyOn(platform as Required<typeof platform>, 'onnxRuntime').mockResolvedValue(found);
  return { release, Tensor };
}

async function tinyBase(): Promise<Base> {
  const source = tinyModel();
  const base = await loadBase(source);
  source.dispose();
  return base;
}

describe('useBackend', () => {
  test('says which package is missing, and how to install it', async () => {
    vi.spyOn(platform as Required<typeof platform>, 'onnxRuntime').mockRejectedValue(
      new MissingPackage('onnxruntime-node', undefined),
    );
    await expect(useBackend('cpu', { engine: 'onnxruntime' })).rejects.toMatchObject({
      code: 'PACKAGE_MISSING',
      message: expect.stringContaining('npm install onnxruntime-node --ignore-scripts') as string,
      details: { packageName: 'onnxruntime-node' },
    });
    expect((await useBackend()).engine).toBe('own');
  });

  test('gives the reason why an engine does not run here', async () => {
    vi.spyOn(platform as Required<typeof platform>, 'onnxRuntime').mockRejectedValue(
      new Error('no binary for sunos-sparc'),
    );
    await expect(useBackend('cpu', { engine: 'onnxruntime' })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining(
        "expected the engine 'onnxruntime' to start, but it did not: no binary for sunos-sparc. Use engine: 'own'.",
      ) as string,
    });
    vi.restoreAllMocks();
    const { onnxRuntime } = platform;
    Object.assign(platform, { onnxRuntime: undefined });
    await expect(useBackend('cpu', { engine: 'onnxruntime' })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      details: { reason: 'it runs in Node, not in a page' },
    });
    Object.assign(platform, { onnxRuntime });
  });

  test('knows two engines, and keeps the one that was chosen', async () => {
    await expect(useBackend('cpu', { engine: 'openvino' as never })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    runtime(() => Promise.resolve({}));
    expect((await useBackend('cpu', { engine: 'onnxruntime' })).engine).toBe('onnxruntime');
    expect((await useBackend('cpu')).engine).toBe('onnxruntime');
    await expect(useBackend('nothing', { engine: 'own' })).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    expect((await useBackend('cpu')).engine).toBe('onnxruntime');
    expect((await useBackend('cpu', { engine: 'own' })).engine).toBe('own');
  });

  test('a call that fails changes nothing of what another one chooses meanwhile', async () => {
    runtime(() => Promise.resolve({}));
    await useBackend('cpu', { engine: 'onnxruntime' });
    const [failed, chosen] = await Promise.allSettled([
      useBackend('nothing', { engine: 'own' }),
      useBackend('cpu', { engine: 'own' }),
    ]);
    expect(failed).toMatchObject({ reason: { code: 'BACKEND_UNAVAILABLE' } });
    expect(chosen).toMatchObject({ value: { engine: 'own' } });
    expect((await useBackend('cpu')).engine).toBe('own');
  });

  test('of several calls at once the latest wins', async () => {
    runtime(() => Promise.resolve({}));
    const reports = await Promise.all([
      useBackend('cpu', { engine: 'onnxruntime' }),
      useBackend('cpu', { engine: 'own' }),
    ]);
    expect(reports.map(({ engine }) => engine)).toEqual(['onnxruntime', 'own']);
    expect((await useBackend('cpu')).engine).toBe('own');
  });

  test('the same choice keeps the prepared base, and calls without threads keep their number', async () => {
    const prepared: unknown[] = [];
    runtime(
      () => Promise.reject(new Error('not asked')),
      undefined,
      (options) => prepared.push(options),
    );
    await useBackend('cpu', { engine: 'onnxruntime', threads: 1 });
    const model = await tinyTransfer();
    for (let i = 0; i < 2; i++) {
      await useBackend('cpu');
      await expect(predict(model, wave([16, 16, 3], 1, 0.3))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    }
    expect(prepared).toMatchObject([{ intraOpNumThreads: 1 }]);
    model.dispose();
  });
});

describe('an engine that raises', () => {
  test('while it runs gives an error of its own, and leaves no tensor', async () => {
    runtime(() => Promise.reject(new Error('bad allocation')));
    await useBackend('cpu', { engine: 'onnxruntime' });
    const model = await tinyTransfer();
    const before = tf.memory().numTensors;
    await expect(predict(model, wave([16, 16, 3], 1, 0.3))).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      raisedBy: 'predict',
      details: { engine: 'onnxruntime', reason: 'bad allocation' },
      message: expect.stringMatching(
        /expected ONNX Runtime to run 'tiny', but it raised: bad allocation\. Nothing of the model has changed\. .* engine: 'own'/,
      ) as string,
    });
    expect(tf.memory().numTensors).toBe(before + 1);
    await useBackend('cpu', { engine: 'own' });
    expect(await predict(model, wave([16, 16, 3], 1, 0.3))).toHaveLength(3);
    model.dispose();
  });

  test('while it prepares does the same', async () => {
    runtime(() => Promise.resolve({}), new Error('no kernel'));
    await useBackend('cpu', { engine: 'onnxruntime' });
    const base = await tinyBase();
    await expectNoLeak(async () => {
      await expect(knn(base)).rejects.toMatchObject({ code: 'ENGINE_FAILED', details: { reason: 'no kernel' } });
    });
    base.dispose();
  });
});

test('a part that is disposed of while it runs ends that run first', async () => {
  const waiting: (() => void)[] = [];
  const { release, Tensor } = runtime(async () => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    const output = new Tensor('float32', new Float32Array(8 * 8 * 8), [1, 8, 8, 8]);
    return new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : output) });
  });
  await useBackend('cpu', { engine: 'onnxruntime' });
  const base = await tinyBase();
  const part = await base.trunk.fold({ to: 1 });
  const input = wave([1, 16, 16, 3], 1, 0.3);
  const running = Promise.resolve(part.run(input));
  await vi.waitFor(() => {
    expect(waiting).toHaveLength(1);
  });
  part.dispose();
  expect(release).not.toHaveBeenCalled();
  expect(() => part.run(input)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  waiting[0]?.();
  const output = await running;
  expect(output.shape).toEqual([1, 8, 8, 8]);
  expect(release).toHaveBeenCalledTimes(1);
  part.dispose();
  expect(release).toHaveBeenCalledTimes(1);
  base.dispose();
  tf.dispose([input, output]);
});
