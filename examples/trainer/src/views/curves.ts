// Error and accuracy by round, as lines that grow while the training runs.
import { make } from '../dom.ts';
import { watch, type Point, type Run } from '../state.ts';
import { texts } from '../texts.ts';

const width = 320;
const height = 150;
const margin = { left: 44, right: 8, top: 8, bottom: 20 };

interface Curve {
  readonly name: string;
  readonly own: (point: Point) => number;
  readonly other: (point: Point) => number | undefined;
  /** The largest value of the scale. */
  readonly most: (values: readonly number[]) => number;
  readonly format: (value: number) => string;
}

const curves: readonly Curve[] = [
  {
    name: texts.training.loss,
    own: ({ loss }) => loss,
    other: ({ validationLoss }) => validationLoss,
    most: (values) => niceCeiling(Math.max(...values, 0.01)),
    format: (value) => (value === 0 ? '0' : value.toPrecision(2)),
  },
  {
    name: texts.training.accuracy,
    own: ({ accuracy }) => accuracy,
    other: ({ validationAccuracy }) => validationAccuracy,
    most: () => 1,
    format: texts.training.percent,
  },
];

/** Makes both curves and their legend; hidden until there is a point. */
export function curvesView(): HTMLElement {
  const figures = make('div', { className: 'curves' });
  const legend = make(
    'p',
    { className: 'legend', ariaHidden: 'true' },
    make('span', { className: 'own' }, texts.training.own),
    make('span', { className: 'other' }, texts.training.other),
  );
  const view = make('div', {}, figures, legend);
  let drawn: Run | undefined;
  watch(({ run }) => {
    view.hidden = run === undefined || run.points.length === 0;
    if (run === drawn) return;
    drawn = run;
    if (run !== undefined && run.points.length > 0) figures.replaceChildren(...curves.map((curve) => draw(curve, run)));
  });
  return view;
}

function draw({ name, own, other, most, format }: Curve, { points, epochs }: Run): HTMLElement {
  const others = points.flatMap((point) => {
    const value = other(point);
    return value === undefined ? [] : [{ epoch: point.epoch, value }];
  });
  const owns = points.map((point) => ({ epoch: point.epoch, value: own(point) }));
  const top = most([...owns, ...others].map(({ value }) => value));
  const last = Math.max(epochs, 1);
  const x = (epoch: number): number => margin.left + (epoch / last) * (width - margin.left - margin.right);
  const y = (value: number): number => height - margin.bottom - (value / top) * (height - margin.top - margin.bottom);
  const line = (values: readonly { epoch: number; value: number }[], className: string): SVGElement[] => [
    shape('polyline', {
      class: className,
      points: values.map(({ epoch, value }) => `${String(x(epoch))},${String(y(value))}`).join(' '),
    }),
    ...values
      .slice(-1)
      .map(({ epoch, value }) => shape('circle', { class: className, cx: x(epoch), cy: y(value), r: 3 })),
  ];
  const grid = [0, 0.5, 1].flatMap((share) => [
    shape('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: y(share * top), y2: y(share * top) }),
    text(format(share * top), { x: margin.left - 6, y: y(share * top) + 4, 'text-anchor': 'end' }),
  ]);
  const ends = [0, last].map((epoch) =>
    text(String(epoch), { x: x(epoch), y: height - 4, 'text-anchor': epoch === 0 ? 'start' : 'end' }),
  );
  const latest = (values: readonly { value: number }[]): string | undefined => {
    const value = values.at(-1)?.value;
    return value === undefined ? undefined : format(value);
  };
  const drawing = shape('svg', {
    viewBox: `0 0 ${String(width)} ${String(height)}`,
    role: 'img',
    'aria-label': texts.training.curve(name, latest(owns) ?? '', latest(others)),
  });
  drawing.append(...grid, ...ends, ...line(owns, 'own'), ...line(others, 'other'));
  const figure = make('figure', {}, make('figcaption', {}, name));
  figure.append(drawing);
  return figure;
}

function shape(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

function text(content: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = shape('text', attributes);
  element.textContent = content;
  return element;
}

/** The next of 1, 2, 5, 10 … */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}
