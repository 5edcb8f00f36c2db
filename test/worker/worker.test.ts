// The verbs in a worker of Node: results, errors, callbacks, signals, freeing, and workers that end.
import { rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { tensor } from '@tensorflow/tfjs-core';
import {
  evaluate,
  isTransferKitError,
  load,
  predict,
  trainHead,
  zipBlob,
  type EpochReport,
  type Progress,
  type TransferKitError,
} from '../../src/index.ts';
import * as mainDoor from '../../src/index.ts';
import { flip, shift } from '../../src/augment.ts';
import { connectTransferKit, type RemoteModel, type RemoteTransferKit } from '../../src/worker.ts';
import { serveTransferKit } from '../../src/serveTransferKit.ts';
import { useTestBackend } from '../support/testBackend.ts';
import { tinyLabels, tinySamples, tinyTransfer } from '../support/tinyTask.ts';
import { bundleForNode, startWorker } from '../support/workers.ts';
import type { Functions } from './served.ts';

let file = '';
let kit: RemoteTransferKit<Functions>;

beforeAll(async () => {
  await useTestBackend();
  file = await bundleForNode('test/worker/served.ts');
  kit = await connect();
  await kit.useBackend('wasm', { threads: 1 });
});

afterAll(() => {
  kit.dispose();
});

const connect = () => connectTransferKit<Functions>(startWorker(file));

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function code(work: Promise<unknown>): Promise<string> {
  const error = await caught(work);
  return isTransferKitError(error) ? error.code : String(error);
}

describe('verbs in a worker', () => {
  test('give the numbers that they give here', async () => {
    const samples = tinySamples();
    const inputs = await Promise.all([0, 1, 2].map(async (index) => (await samples.read(index)).input as Float32Array));
    const here = await tinyTransfer();
    const options = { solver: 'gradient', epochs: 3, seed: 1, validation: 0.25 } as const;
    const log = await trainHead(here, samples, options);
    const there = await kit.replaceHead(await kit.functions.tinyBase(), { labels: tinyLabels });
    const remoteLog = await kit.trainHead(there, samples, options);
    for (const [i, { loss }] of log.epochs.entries()) expect(remoteLog.epochs[i]?.loss).toBeCloseTo(loss, 5);
    const predictions = await kit.predict(there, inputs);
    const expected = await predict(here, inputs);
    expect(predictions.map(([best]) => best?.label)).toEqual(expected.map(([best]) => best?.label));
    expect(predictions[0]?.[0]?.probability).toBeCloseTo(expected[0]?.[0]?.probability ?? NaN, 5);
    const evaluation = await kit.evaluate(there, samples);
    const evaluationHere = await evaluate(here, samples);
    expect(evaluation.loss).toBeCloseTo(evaluationHere.loss, 5);
    expect(evaluation.confusion).toEqual(evaluationHere.confusion);
    const viewing = { views: 3, augment: [flip({ probability: 1 }), shift()] };
    expect((await kit.evaluate(there, samples, viewing)).loss).toBeCloseTo(
      (await evaluate(here, samples, viewing)).loss,
      5,
    );
    const [best] = await kit.predict(there, inputs[0], { views: 2 });
    const [bestHere] = await predict(here, inputs[0], { views: 2 });
    expect(best?.probability).toBeCloseTo(bestHere?.probability ?? NaN, 5);
    for await (const [live] of kit.predictLive(there, inputs[0], { topK: 1, views: 2 })) {
      expect(live).toEqual(best);
      break;
    }
    there.dispose();
    here.dispose();
  });

  test('stand-ins have the fields of their values, those that training changes too', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    expect(model.labels).toEqual(tinyLabels);
    expect(model.task).toBe('classes');
    expect(model.base.cut).toBe('relu2');
    expect(await model.base.summary()).toContain('relu2');
    expect(model.history).toEqual([]);
    expect(model.trained).toBe(false);
    const log = await kit.trainHead(model, tinySamples());
    expect(model.trained).toBe(true);
    expect(model.history).toEqual([log]);
    model.dispose();
  });

  test('models are saved, loaded, frozen and unfrozen', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    await kit.trainHead(model, tinySamples());
    const folder = join(tmpdir(), `transferkit-worker-${String(process.pid)}`);
    await kit.save(model, folder);
    const loaded = await kit.load(folder, { task: 'classes' });
    const [input] = [new Float32Array(768).fill(0.5)];
    expect(await kit.predict(loaded, input)).toEqual(await kit.predict(model, input));
    const report = await kit.unfreeze(loaded, { lastStages: 1 });
    expect(report.summary).toContain('trainable');
    expect((await kit.freeze(loaded)).summary).not.toBe(report.summary);
    const byUrl = await kit.load(new URL(`file://${folder}/`), { task: 'classes' });
    for (const each of [model, loaded, byUrl]) each.dispose();
  });

  test('a handler of this thread saves and loads', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    const kept: { artifacts?: object } = {};
    await kit.save(model, {
      save: async (artifacts) => {
        kept.artifacts = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      },
    });
    expect(Object.keys(kept.artifacts ?? {})).toContain('weightData');
    const loaded = await kit.load({ load: async () => kept.artifacts as never }, { task: 'classes' });
    expect(loaded.labels).toEqual(tinyLabels);
    model.dispose();
    loaded.dispose();
  });

  test('an archive that this thread packs is the whole model', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    await kit.trainHead(model, tinySamples());
    let archive = new Blob();
    await kit.save(
      model,
      zipBlob((blob) => void (archive = blob)),
    );
    using here = await load(archive, { task: 'classes' });
    expect([here.labels, here.head.trained, here.history.length]).toEqual([tinyLabels, true, 1]);
    model.dispose();
  });

  test('an export goes to a file, or to this thread', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    const path = join(tmpdir(), `transferkit-worker-${String(process.pid)}.onnx`);
    const files: Blob[] = [];
    const target = { write: (file: Blob) => void files.push(file) };
    const { weightBytes } = await kit.exportModel(model, target, { format: 'keras' });
    expect(files[0]?.size).toBeGreaterThan(weightBytes);
    using here = await load(files[0] ?? new Blob(), { task: 'classes' });
    expect(here.labels).toEqual(tinyLabels);
    const { figures } = await kit.exportModel(model, path, {
      format: 'onnx',
      quantize: 'uint8',
      samples: tinySamples(),
    });
    expect(figures?.after.loss).toBeTypeOf('number');
    expect((await stat(path)).size).toBeGreaterThan(0);
    await rm(path);
    model.dispose();
  });

  test('classifiers by nearest examples are called', async () => {
    const base = await kit.functions.tinyBase();
    const classifier = await kit.knn(base, { k: 1 });
    expect(classifier.size).toBe(0);
    await classifier.addAll(tinySamples(2));
    const id = await classifier.add(new Float32Array(768).fill(0.3), 'other');
    expect(classifier.size).toBe(7);
    expect(classifier.labels).toEqual([...tinyLabels, 'other'].sort());
    expect((await classifier.predict(new Float32Array(768).fill(0.3)))[0]?.label).toBe('other');
    await classifier.remove(id);
    expect(classifier.size).toBe(6);
    expect(Object.keys(await classifier.toJSON())).toContain('examples');
    expect(await code(classifier.remove(99))).toBe('UNKNOWN_EXAMPLE');
    expect(classifier.base).toBe(base);
    classifier.dispose();
    base.dispose();
  });

  test('models compete with classifiers', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    const base = await kit.functions.tinyBase();
    const neighbours = await kit.knn(base);
    const { rows } = await kit.compare({ model, neighbours }, tinySamples(8), { test: tinySamples(4, 2), epochs: 1 });
    expect(rows.map(({ name }) => name)).toEqual(['model', 'neighbours']);
    for (const each of [model, neighbours, base]) each.dispose();
  });

  test('functions of the app get the real models, and what cannot be sent stays with them', async () => {
    const model = await kit.functions.withHead({ labels: tinyLabels });
    const log = await kit.functions.trainBySchedule(model, tinySamples());
    expect(log.epochs).toHaveLength(2);
    expect(model.history).toEqual([log]);
    model.dispose();
  });

  test('what is disposed of is freed', async () => {
    const before = await kit.functions.memory();
    const model = await kit.functions.withHead({ labels: tinyLabels });
    expect(await kit.functions.memory()).toBeGreaterThan(before);
    model.dispose();
    expect(await kit.functions.memory()).toBe(before);
    expect(await code(kit.trainHead(model, tinySamples()))).toBe('DISPOSED');
    model.dispose();
  });
});

describe('types', () => {
  test('are those of the verbs, with stand-ins for models and bases', async () => {
    const base = await kit.functions.tinyBase();
    const model = await kit.replaceHead(base, { labels: ['cat', 'dog', 'owl'] });
    expectTypeOf(model).toEqualTypeOf<RemoteModel<'classes', 'cat' | 'dog' | 'owl'>>();
    const [best] = await kit.predict(model, new Float32Array(768));
    expectTypeOf(best?.label).toEqualTypeOf<'cat' | 'dog' | 'owl' | undefined>();
    expectTypeOf(kit.trainHead).returns.toEqualTypeOf<ReturnType<typeof trainHead>>();
    expectTypeOf(kit.freeze).parameter(0).toEqualTypeOf<RemoteModel>();
    expectTypeOf(kit.functions.withHead).returns.resolves.toExtend<RemoteModel<'classes'>>();
    model.dispose();
  });

  test('cover every verb that does something with a base or a model', () => {
    const verbs = Object.entries(mainDoor).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
    const makers = /^(define|from|is)|Preprocessor$|Loss$|^(TransferKitError|toGraphModel|zipBlob)$/;
    expect(verbs.filter((name) => !makers.test(name) && !(name in kit))).toEqual([]);
  });
});

describe('values', () => {
  test('plain data arrives as it was', async () => {
    const value = {
      list: [1, 'a', null, undefined, true],
      bytes: new Uint8Array([1, 2]),
      date: new Date(0),
      nested: { x: -0 },
    };
    expect(await kit.functions.echo(value)).toEqual(value);
    expect(await kit.functions.echo(new URL('http://127.0.0.1/a'))).toEqual(new URL('http://127.0.0.1/a'));
    const bytes = new Uint8Array([3]);
    await kit.functions.echo(bytes);
    expect(bytes).toEqual(new Uint8Array([3]));
  });

  const model = () => kit.functions.withHead({ labels: tinyLabels });

  test.each([
    ['a schedule', () => ({ learningRate: () => 0.1 })],
    ['a loss', () => ({ loss: (logits: never) => logits })],
    ['a tensor', () => ({ loss: tensor([1]) })],
    ['a label function', () => ({ deep: [{ labelOf: () => 'a' }] })],
  ])('%s is refused, with its place and the remedy', async (_, options) => {
    const there = await model();
    const error = (await caught(kit.trainHead(there, tinySamples(), options() as never))) as TransferKitError;
    expect(error.code).toBe('INVALID_OPTION');
    expect(error.message).toMatch(/arguments\[2\]\.(learningRate|loss|deep\[0\]\.labelOf)/);
    expect(error.message).toContain('serveTransferKit');
    there.dispose();
  });

  test('a model of this thread is refused', async () => {
    const here = await tinyTransfer();
    expect(await code(kit.trainHead(here as never, tinySamples()))).toBe('INVALID_OPTION');
    here.dispose();
  });

  test('a result that cannot be sent is an error', async () => {
    expect(await code(kit.functions.unsendable())).toBe('INVALID_OPTION');
  });
});

describe('errors', () => {
  test('have their class, code, details, name and cause', async () => {
    const there = await kit.functions.withHead({ labels: tinyLabels });
    const error = (await caught(kit.unfreeze(there, { from: 'relu3' }))) as TransferKitError;
    expect(isTransferKitError(error, 'UNKNOWN_LAYER')).toBe(true);
    expect(error).toBeInstanceOf(Error);
    expect(error.raisedBy).toBe('unfreeze');
    expect(error.details.nearest).toContain('relu2');
    expect(error.message).toMatch(/^\[transferkit\] unfreeze: expected /);
    const other = (await caught(kit.functions.fail('range'))) as Error;
    expect([other.name, other.message, (other.cause as Error).message]).toEqual([
      'RangeError',
      'out of reach',
      'the cause',
    ]);
    expect((await caught(kit.functions.fail('nothing'))) as Error).toBeInstanceOf(Error);
    there.dispose();
  });

  test('of reading an example come back as they were', async () => {
    const there = await kit.functions.withHead({ labels: tinyLabels });
    const broken = new Error('the disk is on fire');
    const samples = tinySamples();
    const failing = { ...samples, read: () => Promise.reject(broken) };
    const error = await caught(kit.trainHead(there, failing));
    expect(error === broken || (error as Error).message.includes('the disk is on fire')).toBe(true);
    there.dispose();
  });
});

describe('callbacks and signals', () => {
  test('epochs and progress are reported, in their order', async () => {
    const there = await kit.functions.withHead({ labels: tinyLabels });
    const epochs: EpochReport[] = [];
    const progress: Progress[] = [];
    const log = await kit.trainHead(there, tinySamples(), {
      solver: 'gradient',
      epochs: 3,
      onEpoch: (report) => void epochs.push(report),
      onProgress: async (report) => {
        await Promise.resolve();
        progress.push(report);
      },
    });
    expect(epochs.map(({ loss }) => loss)).toEqual(log.epochs.map(({ loss }) => loss));
    expect(progress.at(-1)?.done).toBe(progress.at(-1)?.total);
    there.dispose();
  });

  test.each(['onEpoch', 'onProgress'])('the error of %s comes back as it was', async (name) => {
    const there = await kit.functions.withHead({ labels: tinyLabels });
    const own = new Error('enough');
    const options = {
      [name]: () => {
        throw own;
      },
    };
    expect(await caught(kit.trainHead(there, tinySamples(), { solver: 'gradient', epochs: 2, ...options }))).toBe(own);
    there.dispose();
  });

  test('a signal stops a training after the epoch, and one that is aborted already at once', async () => {
    const there = await kit.functions.withHead({ labels: tinyLabels });
    const controller = new AbortController();
    const log = await kit.trainHead(there, tinySamples(), {
      solver: 'gradient',
      epochs: 50,
      signal: controller.signal,
      onEpoch: ({ epoch }) => {
        if (epoch === 1) controller.abort();
      },
    });
    expect(log.stoppedBy).toBe('signal');
    expect(log.epochs).toHaveLength(2);
    const aborted = AbortSignal.abort(new Error('no more'));
    expect(await code(kit.evaluate(there, tinySamples(), { signal: aborted } as never))).toMatch(
      /ABORTED|INVALID_OPTION/,
    );
    there.dispose();
  });

  test('predictLive waits for its user, and ends with the signal', async () => {
    const there = await kit.functions.withHead({ labels: tinyLabels });
    await kit.trainHead(there, tinySamples());
    const controller = new AbortController();
    const seen: string[] = [];
    const input = new Float32Array(768).fill(0.5);
    for await (const [best] of kit.predictLive(there, input, {
      topK: 1,
      signal: controller.signal,
      maxPerSecond: 1000,
    })) {
      seen.push(best?.label ?? '');
      if (seen.length === 3) controller.abort();
    }
    expect(seen).toHaveLength(3);
    const later = new AbortController();
    setTimeout(() => {
      later.abort();
    }, 200);
    const start = performance.now();
    for await (const _ of kit.predictLive(there, input, { signal: later.signal, maxPerSecond: 0.01 }));
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(() => kit.predictLive(there, input, { maxPerSecond: 0 })).toThrow(/predictLive: expected maxPerSecond/);
    there.dispose();
  });
});

describe('the end of a worker', () => {
  test.each(['is disposed of', 'is terminated', 'exits'])(
    'one that %s rejects calls without a result, and later ones',
    async (how) => {
      const worker = startWorker(file);
      const own = await connectTransferKit<Functions>(worker);
      const pending = code(own.functions.busy(60_000));
      if (how === 'is disposed of') own.dispose();
      else if (how === 'is terminated') void worker.terminate();
      else {
        const other = await connect();
        await caught(other.functions.exit());
        void worker.terminate();
        other.dispose();
      }
      expect(await pending).toBe('WORKER_LOST');
      expect(await code(own.useBackend())).toBe('WORKER_LOST');
    },
  );

  test('a worker that does not serve, or does not start, is an error', async () => {
    const path = join(tmpdir(), `transferkit-silent-${String(process.pid)}.mjs`);
    await writeFile(path, 'setInterval(() => undefined, 1000);');
    expect(await code(connectTransferKit(startWorker(path), { seconds: 1 }))).toBe('WORKER_LOST');
    await writeFile(path, 'throw new Error("broken program");');
    const error = (await caught(connectTransferKit(startWorker(path)))) as Error;
    expect(error.message).toContain('connectTransferKit: expected a worker that runs, but broken program.');
    expect(await code(connectTransferKit({} as never))).toBe('INVALID_OPTION');
  });

  test('the reason of an uncaught error is told', async () => {
    const own = await connect();
    const error = (await caught(own.functions.crash())) as Error;
    expect(error.message).toContain('it has ended: an uncaught error');
  });

  test('a second connection to a worker is an error, and the first one goes on', async () => {
    const worker = startWorker(file);
    const own = await connectTransferKit<Functions>(worker);
    expect(await code(connectTransferKit(worker, { seconds: 1 }))).toBe('INVALID_OPTION');
    expect(await own.functions.echo('still here')).toBe('still here');
    own.dispose();
    expect(await code(connectTransferKit(worker))).toBe('INVALID_OPTION');
  });

  test('serving twice in a worker is an error', async () => {
    expect(await code(kit.functions.serveAgain())).toBe('INVALID_OPTION');
  });

  test('seconds beyond what a timer holds mean without a limit', async () => {
    const own = await connectTransferKit<Functions>(startWorker(file), { seconds: 1e9 });
    expect(await own.functions.echo(1)).toBe(1);
    own.dispose();
  });

  test('serving outside of a worker is an error', () => {
    expect(() => {
      serveTransferKit();
    }).toThrow(/expected to be called in a worker/);
  });
});
