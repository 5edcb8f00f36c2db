// Figures of the package itself: what its import and its bundle cost.
import { fileURLToPath } from 'node:url';
import { sizeAtStart } from './bundleSize.js';
import { median, singleFigure } from './figures.js';
import { runContender } from './runContender.js';

const project = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const importing = fileURLToPath(new URL('contenders/importing.js', import.meta.url));

/** Milliseconds to import the main door once tfjs is there, and to import tfjs: medians over fresh processes, in turns. */
export async function importFigures(ours, count) {
  const reports = [];
  for (let i = 0; i < count; i++) {
    for (const { id, command } of ours) {
      reports.push({ id, ...(await runContender({ command: [command[0], importing] }, {})) });
    }
  }
  return ours.flatMap(({ id }) => {
    const own = reports.filter((report) => report.id === id);
    return [
      singleFigure('import', id, 'ms', median(own.map(({ added }) => added))),
      singleFigure('importTfjs', id, 'ms', median(own.map(({ tfjs }) => tfjs))),
    ];
  });
}

/**
 * MB that features of 10,000 images of 1280 values take, and those of 100,000 within a budget of 128 MB and a file: what
 * they add to the process, garbage aside; and the most that training ever adds, garbage and the work of an epoch included.
 */
export function memoryFigures(measured) {
  const { 'float32 in memory': inMemory, 'float32, budget of 128 MB': byFile } = measured;
  const figure = (work, bytes) => singleFigure(work, 'ours', 'MB', bytes / 1e6);
  return [
    figure('memory', inMemory.kept),
    figure('memoryAtMost', inMemory.peak),
    figure('memoryByFile', byFile.kept),
    figure('memoryByFileAtMost', byFile.peak),
  ];
}

/** KiB, gzipped, that `import { fineTune }` brings into a page at once, without peers. */
export async function bundleFigures() {
  const bytes = await sizeAtStart("export { fineTune } from 'transferkit';", project);
  return [singleFigure('bundle', 'ours', 'KiB', bytes / 1024)];
}
