// Whether cost grows no faster than images and epochs do.
import { fileURLToPath } from 'node:url';
import { singleFigure } from './figures.js';
import { alignedTable } from './table.js';
import { runContender } from './runContender.js';

const script = fileURLToPath(new URL('contenders/growing.js', import.meta.url));

/** Times for a few numbers of images and of epochs, in one process. */
export async function measureGrowth({ quick, threads }) {
  const images = quick ? [16, 32, 64, 128] : [250, 500, 1000, 2000];
  const report = await runContender(
    { command: [process.execPath, script] },
    { work: images, repeat: quick ? 1 : 2, threads },
  );
  if (report.error !== undefined) throw new Error(report.error);
  return report;
}

/** Cost an image and cost an epoch: that of the most divided by that of the fewest. */
export function growthFigures({ byImages, byEpochs }) {
  const perImage = byImages.map(({ head, images }) => head / images);
  const perEpoch = byEpochs.map(({ headEpochs, epochs }) => headEpochs / epochs);
  return [
    singleFigure('growthByImages', 'ours', '×', perImage.at(-1) / perImage[0]),
    singleFigure('growthByEpochs', 'ours', '×', perEpoch.at(-1) / perEpoch[0]),
  ];
}

/** The same as a table. */
export function growthTable({ size, byImages, byEpochs }) {
  const milliseconds = (seconds, count) => ((1000 * seconds) / count).toFixed(2);
  const rows = byImages.map(({ images, head, last }) => [
    String(images),
    head.toFixed(2),
    milliseconds(head, images),
    last.toFixed(2),
    milliseconds(last, images),
  ]);
  const epochRows = byEpochs.map(({ images, epochs, headEpochs }) => [
    String(epochs),
    String(images),
    headEpochs.toFixed(2),
    milliseconds(headEpochs, epochs),
  ]);
  return [
    alignedTable([[`images of ${size} × ${size}`, 'head, s', 'ms an image', 'last blocks, s', 'ms an image'], ...rows]),
    alignedTable([['epochs of a head', 'images', 's', 'ms an epoch'], ...epochRows]),
  ].join('\n\n');
}
