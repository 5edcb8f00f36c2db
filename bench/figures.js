// From what contenders reported to figures: one for each architecture, work and contender. Pure.

/** Works whose memory is worth a figure of its own: the largest resident size of the process until their end. */
const remembered = new Map([
  ['extract', 'extractMemory'],
  ['full', 'fullMemory'],
]);

/** Figures of reports, in the order in which they first appear; units are `ms an image`, `ms` and `MB`. */
export function figuresOf(reports) {
  const figures = new Map();
  for (const { arch, contender, works } of reports) {
    for (const [work, result] of Object.entries(works)) {
      for (const found of readings(work, result)) addReading(figures, { arch, contender, ...found });
    }
  }
  return [...figures.values()].map(summed);
}

/** The figure of one architecture (undefined for what has none), work and contender; undefined when there is none. */
export function findFigure(figures, work, contender, arch) {
  return figures.find((each) => each.work === work && each.contender === contender && each.arch === arch);
}

/** A figure of something that was measured once or summed up already. */
export function singleFigure(work, contender, unit, value, rest = {}) {
  return { ...rest, work, contender, unit, values: [value], best: value, spread: 0 };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function readings(work, { seconds, network, images, peak, error }) {
  if (error !== undefined) return [{ work, error }];
  const unit = images === undefined ? 'ms' : 'ms an image';
  const milliseconds = (value) => (1000 * value) / (images ?? 1);
  const memory = remembered.get(work);
  return [
    { work, unit, value: milliseconds(seconds) },
    ...(network === undefined ? [] : [{ work: 'network', unit, value: milliseconds(network) }]),
    ...(memory === undefined || peak === undefined ? [] : [{ work: memory, unit: 'MB', value: peak / 1e6 }]),
  ];
}

function addReading(figures, { arch, work, contender, unit, value, error }) {
  const key = `${arch} ${work} ${contender}`;
  const figure = figures.get(key) ?? { arch, work, contender, unit, values: [] };
  figures.set(key, figure);
  if (error !== undefined) figure.error = error;
  else figure.values.push(value);
}

/** The best value, and by what share of it the worst lies above it. */
function summed(figure) {
  if (figure.values.length === 0) return figure;
  const best = Math.min(...figure.values);
  return { ...figure, best, spread: Math.max(...figure.values) / best - 1 };
}
