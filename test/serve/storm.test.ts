// Sixteen clients at once, most of them bad ones: test/acceptance/serve.js for a minute, here for four seconds.
import { memory } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { useBackend } from '../../src/index.ts';
import { post } from './requests.ts';
import { picture, pictureModel, until, whileServed } from './served.ts';
import { storm } from './storm.ts';

const expected = [
  ...['good: 200', 'garbage: 422', 'cut off: 422', 'text: 415', 'wrong path: 404', '50 MB: 413'],
  ...['without end: 413', 'slow: 408', 'hangs up: 0', 'no HTTP: 400'],
];

test('every client gets the answer of its kind, and nothing is left', async () => {
  await useBackend('cpu');
  const model = await pictureModel();
  const good = await picture('#d08030', 'jpeg', 200);
  let reported = 0;
  const onAnswer = (): number => reported++;
  await whileServed(model, { maxBytes: 1_000_000, maxSeconds: 2, onAnswer }, async (url) => {
    const first = await post(url, good);
    const tensors = memory().numTensors;
    const { answers, unexpected } = await storm(url, good, 4);
    expect(unexpected).toEqual([]);
    // A busy service may end the body without end by its time limit first.
    const asked = Object.keys(answers).map((key) => key.replace('without end: 408', 'without end: 413'));
    expect(asked).toEqual(expect.arrayContaining(expected));
    await until(() => reported >= Object.values(answers).reduce((sum, each) => sum + each, 0));
    expect(await post(url, good)).toMatchObject({ status: 200, body: first.body });
    expect(memory().numTensors).toBe(tensors);
  });
  model.dispose();
});
