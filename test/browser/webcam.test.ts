// Cameras in a real page: Chromium's own fake device, refused, missing, and on a page that is not safe.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPage, type OpenPage, type Surroundings } from './harness.ts';
import type { WebcamInPage } from './webcamPage.ts';

const program = fileURLToPath(new URL('webcamPage.ts', import.meta.url));
/** One browser for all pages of this file but that without a camera. */
const flags = ['--use-fake-device-for-media-stream', '--host-resolver-rules=MAP plain.test 127.0.0.1'];

async function open(surroundings: Surroundings): Promise<OpenPage> {
  const opened = await openPage(program, false, surroundings);
  await opened.page.waitForFunction('window.camera !== undefined');
  return opened;
}

function asker(opened: () => OpenPage) {
  return <Verb extends keyof WebcamInPage>(
    verb: Verb,
    ...given: Parameters<WebcamInPage[Verb]>
  ): Promise<Awaited<ReturnType<WebcamInPage[Verb]>>> =>
    opened().page.evaluate(`window.camera.${verb}(...${JSON.stringify(given)})`);
}

describe('a camera that is allowed', () => {
  let opened: OpenPage;
  const ask = asker(() => opened);

  beforeAll(async () => {
    opened = await open({ flags, permissions: ['camera'] });
  });

  afterAll(() => opened.close());

  test('shows itself as its pictures are: cut, mirrored, compressed', async () => {
    expect(await ask('start', { size: [120, 160] })).toBeUndefined();
    const state = await ask('state');
    expect(state).toMatchObject({ size: [120, 160], paused: false, hasStream: true, tracks: ['live'] });
    expect(state.style).toMatch(/object-fit: cover/);
    expect(state.style).toMatch(/aspect-ratio: 160 \/ 120/);
    expect(state.style).toMatch(/scaleX\(-1\)/);
    const { type, bytes, size } = await ask('capture');
    expect({ type, size }).toEqual({ type: 'image/jpeg', size: [120, 160] });
    expect(bytes).toBeLessThan((120 * 160 * 4) / 4);
    expect(await ask('isMirrored')).toBe(true);
  });

  test('takes pictures at its pace while a button is held, in the folder of the label', async () => {
    const { held, heard } = await ask('hold', 'cup', 700, 10);
    // The first at once, then one each tenth of a second; a busy machine takes fewer.
    expect(held.length).toBeGreaterThanOrEqual(2);
    expect(held.length).toBeLessThanOrEqual(9);
    expect(heard).toBe(held.length);
    expect(new Set(held).size).toBe(held.length);
    for (const path of held) expect(path).toMatch(/^cup\/camera-\d+-\d{4}\.jpg$/);
    expect((await ask('hold', 'cup', 0, 1)).held).toHaveLength(1);
    expect(await ask('burst', 'cup', 3)).toBe(3);
  });

  test('what it took are samples, by folder or by arrays', async () => {
    expect(await ask('samples')).toEqual({ byFolder: { cup: 3, pen: 2 }, byArrays: 5 });
  });

  test('a label that no folder can have is refused', async () => {
    expect(await ask('captureFails', 'a/b')).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining("webcam.capture: expected a label without '/', got 'a/b'") as unknown,
    });
  });

  test('stopped: the device is free, a capture ends with its pictures, and later ones say so', async () => {
    expect(await ask('stopWhileHeld')).toBeGreaterThan(0);
    expect(await ask('state')).toMatchObject({ hasStream: false, tracks: ['ended'] });
    await ask('stop');
    for (const label of [undefined, 'cup']) {
      expect(await ask('captureFails', ...(label === undefined ? [] : [label]))).toMatchObject({
        code: 'CAMERA_UNAVAILABLE',
        problem: 'stopped',
        message: expect.stringMatching(/webcam\.capture: .*it has been stopped\. Start it again/) as unknown,
      });
    }
  });

  test('disconnected: a capture rejects with advice, and onLost hears of it', async () => {
    expect(await ask('start')).toBeUndefined();
    expect((await ask('state')).size).toEqual([256, 256]);
    const { capture, lost, seen } = await ask('disconnect');
    expect(capture).toMatchObject({ code: 'CAMERA_UNAVAILABLE', problem: 'lost' });
    expect(capture?.message).toMatch(/expected a camera that can be used, but it was disconnected\. Connect it/);
    expect(lost).toHaveLength(1);
    expect(seen).toBeGreaterThan(0);
    expect(await ask('state')).toMatchObject({ hasStream: false, tracks: ['ended'] });
  });

  test('aborted while it starts', async () => {
    expect(await ask('startAborted')).toMatchObject({ code: 'ABORTED' });
  });

  test.each([
    ['aborted', { code: 'ABORTED' }, 0],
    ['hung', { code: 'ABORTED' }, 1],
    ['lost', { code: 'CAMERA_UNAVAILABLE', problem: 'lost' }, 1],
  ] as const)('%s before its first picture is shown: an error, and the camera is off', async (how, told, asked) => {
    const tracks = Array.from({ length: asked }, () => 'ended');
    expect(await ask('startBadly', how)).toMatchObject({ told, asked, tracks });
  });

  test.each([
    ['NotReadableError', 'busy', /could not be started \(Could not start video source\)\. Close other programs/],
    ['OverconstrainedError', 'missing', /there is none/],
  ])('the browser says %s: %s', async (name, problem, text) => {
    await ask('failWith', name, 'Could not start video source');
    const told = await ask('start');
    expect(told).toMatchObject({ code: 'CAMERA_UNAVAILABLE', problem });
    expect(told?.message).toMatch(text);
    expect(opened.problems).toEqual([]);
  });
});

test.each<[string, Surroundings, RegExp]>([
  ['refused', { flags }, /webcam: .*its use was refused.*\. Allow the camera for this page/],
  ['missing', { permissions: ['camera'] }, /there is none.*\. Connect a camera, or take pictures from files/],
  ['insecure', { flags, host: 'plain.test' }, /has no access to cameras\. Serve it by https, or from localhost/],
])('%s: an error that says so', async (problem, surroundings, text) => {
  const opened = await open(surroundings);
  try {
    const told = await asker(() => opened)('start');
    expect(told).toMatchObject({ code: 'CAMERA_UNAVAILABLE', problem });
    expect(told?.message).toMatch(text);
  } finally {
    await opened.close();
  }
});
