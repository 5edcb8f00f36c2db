// ONNX Runtime by itself, on the network that exportModel has written. One JSON object on standard output.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as onnx from 'onnxruntime-node';
import { bestOf, noisePictures, readTask, reportWorks, secondsOf } from './task.js';

const { images, size, batch, repeat, threads, files, work } = readTask();

await reportWorks(
  { name: 'onnxruntime-node', version: onnx.env.versions.node, threads },
  { extract: async () => ({ seconds: await extractSeconds(), images }) },
  work.split(','),
);

async function extractSeconds() {
  const model = readFileSync(join(files, 'model.onnx'));
  const session = await onnx.InferenceSession.create(model, { intraOpNumThreads: threads });
  const [input] = session.inputNames;
  const batches = batchesOf(noisePictures(images, size));
  return bestOf(repeat, () =>
    secondsOf(async () => {
      for (const tensor of batches) await session.run({ [input]: tensor });
    }),
  );
}

function batchesOf(pictures) {
  const starts = Array.from({ length: Math.ceil(images / batch) }, (_, i) => i * batch);
  return starts.map((start) => {
    const part = pictures.slice(start, start + batch);
    const values = new Float32Array(part.length * size * size * 3);
    part.forEach((picture, i) => values.set(picture, i * picture.length));
    return new onnx.Tensor('float32', values, [part.length, size, size, 3]);
  });
}
