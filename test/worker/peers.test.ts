// Two sides of a connection in one thread, joined by structured clone: what they do with values and messages that a page or
// an app should not send.
import { describe, expect, test } from 'vitest';
import { TransferKitError } from '../../src/core/errors.ts';
import { isTransferKitError } from '../../src/index.ts';
import type { Message } from '../../src/worker/messages.ts';
import { pageKinds } from '../../src/worker/pageValues.ts';
import { openPeer, type Peer, type PeerSettings } from '../../src/worker/peer.ts';
import { workerKinds } from '../../src/worker/workerValues.ts';
import { tinyTransfer } from '../support/tinyTask.ts';
import { useTestBackend } from '../support/testBackend.ts';

type Functions = Record<string, (...args: never) => unknown>;

interface Sides {
  readonly page: Peer;
  /** Everything that was sent, by either side. */
  readonly sent: readonly Message[];
}

/** Joins two sides. The one called page calls the functions of the other one. */
function join(functions: Functions, snapshot: PeerSettings['snapshot'] = () => Promise.resolve(undefined)): Sides {
  const sent: Message[] = [];
  const post = (to: () => Peer) => (message: Message) => {
    const copy = structuredClone(message);
    sent.push(copy);
    setTimeout(() => {
      to().receive(copy);
    });
  };
  const calls = Object.entries(functions).map(
    ([name, call]) => [name, (...args: readonly unknown[]): unknown => Reflect.apply(call, undefined, args)] as const,
  );
  const page: Peer = openPeer({
    ...{ gives: pageKinds, takes: workerKinds, functions: new Map(), snapshot },
    send: post(() => worker),
  });
  const worker: Peer = openPeer({
    ...{ gives: workerKinds, takes: pageKinds, functions: new Map(calls), snapshot },
    send: post(() => page),
  });
  return { page, sent };
}

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const echo = (value: unknown) => value;

describe('values', () => {
  test('that contain themselves are refused, in arguments, results and facts of errors', async () => {
    const inside: { self?: unknown } = {};
    inside.self = [inside, inside];
    const { page } = join({
      echo,
      give: () => inside,
      fail() {
        throw new TransferKitError('INVALID_OPTION', 'with facts', { received: inside }, inside);
      },
    });
    for (const call of [page.request('echo', [inside]), page.request('give', [])]) {
      expect(await caught(call)).toSatisfy((error) => isTransferKitError(error, 'INVALID_OPTION'));
    }
    expect(await caught(page.request('fail', []))).toMatchObject({
      message: '[transferkit] with facts',
      details: { received: expect.stringMatching(/an object/) as string },
    });
  });

  test('with thousands of levels are refused', async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 20_000; level++) deep = [deep];
    const { page } = join({ echo, give: () => deep });
    expect(await caught(page.request('echo', [deep]))).toSatisfy((error) =>
      isTransferKitError(error, 'INVALID_OPTION'),
    );
    expect(await caught(page.request('give', []))).toSatisfy((error) => isTransferKitError(error, 'INVALID_OPTION'));
  });

  test('that look like parts of a message stay data', async () => {
    const { page } = join({ echo });
    const data = { 'transferkit:sign': { is: 'url', address: 'nowhere' }, more: [{ 'transferkit:sign': 1 }] };
    expect(await page.request('echo', [data])).toEqual(data);
  });

  test('that occur twice are no circle', async () => {
    const { page } = join({ echo });
    const shared = { a: [1] };
    expect(await page.request('echo', [[shared, shared, { shared }]])).toEqual([shared, shared, { shared }]);
  });

  test('that show a part of a large buffer are sent without the rest', async () => {
    const { page } = join({
      bytes: (view: ArrayBufferView) => [view.constructor.name, view.byteLength, view.buffer.byteLength],
    });
    const all = new ArrayBuffer(2 ** 16);
    expect(await page.request('bytes', [new Float32Array(all, 16, 4)])).toEqual(['Float32Array', 16, 16]);
    expect(await page.request('bytes', [new DataView(all, 8, 8)])).toEqual(['DataView', 8, 8]);
    expect(await page.request('bytes', [Buffer.from('a text in a pool')])).toEqual(['Uint8Array', 16, 16]);
    expect(await page.request('echo', [1]).catch(() => 'no echo')).toBe('no echo');
  });

  test('that belong to another worker are refused by their kind', async () => {
    await useTestBackend();
    const model = await tinyTransfer();
    const [one, other] = [join({ model: () => model }), join({ echo })];
    const standIn = await one.page.request('model', []);
    const error = await caught(other.page.request('echo', [standIn]));
    expect((error as Error).message).toMatch(/expected .* of this worker in arguments\[0\], got one of another worker/);
    model.dispose();
  });
});

describe('messages', () => {
  test('an answer that cannot be read ends its call', async () => {
    const { page } = join({ slow: () => new Promise(() => undefined) });
    const call = page.request('slow', []);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const reference = { is: 'reference', reference: { kind: 'unheard of', id: 7 }, fields: {} };
    page.receive({ transferkit: 'result', id: 1, value: { 'transferkit:sign': reference }, changes: [] });
    expect(await caught(call)).toSatisfy((error) => isTransferKitError(error, 'INTERNAL'));
  });

  test('an error that cannot be sent is sent as text', async () => {
    const { page } = join({
      fail() {
        throw Object.assign(new Error('odd'), { stack: () => 'no text' });
      },
    });
    expect(await caught(page.request('fail', []))).toMatchObject({ message: expect.stringContaining('odd') as string });
  });

  test('a signal that is aborted while elements are drawn is aborted on the other side', async () => {
    let drawn: ((picture: undefined) => void) | undefined;
    const { page } = join(
      { stopped: (_: unknown, signal: AbortSignal) => signal.aborted },
      () => new Promise((resolve) => (drawn = resolve)),
    );
    const controller = new AbortController();
    const call = page.request('stopped', [new Date(0), controller.signal]);
    controller.abort(new Error('enough'));
    drawn?.(undefined);
    expect(await call).toBe(true);
  });

  test('pictures are closed when another one of the same call cannot be drawn, and when the call cannot be sent', async () => {
    const closed: unknown[] = [];
    const { page } = join({ echo }, async (value) => {
      if (!(value instanceof Date)) return undefined;
      if (value.getTime() === 0) throw new Error('nothing to see');
      return { close: () => closed.push(value) } as never;
    });
    expect(await caught(page.request('echo', [[new Date(1), new Date(0)]]))).toMatchObject({
      message: 'nothing to see',
    });
    expect(closed).toHaveLength(1);
    page.fail(() => new Error('over'));
    expect(await caught(page.request('echo', [new Date(1)]))).toMatchObject({ message: 'over' });
    expect(closed).toHaveLength(2);
  });
});

describe('memory', () => {
  test('a base that goes with its model is forgotten on both sides', async () => {
    await useTestBackend();
    const model = await tinyTransfer();
    const { page, sent } = join({ model: () => model });
    const standIn = (await page.request('model', [])) as { dispose(): void };
    standIn.dispose();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(model.base.trunk.disposed).toBe(true);
    // The model is 2: its base, a part of its fields, is numbered after it or before it.
    const last = sent.at(-1);
    const changes = last?.transferkit === 'result' ? last.changes : [];
    expect(changes.map(({ id, fields }) => [id, fields])).toContainEqual([2, undefined]);
  });
});
