// A list of operations as steps: geometric ones that follow each other are one, and so are those of colours.
import type { ColourfulChange, GeometricChange, PictureFill, PixelChange, SettledOperation } from './operation.ts';

/** What is done to a picture in one go. */
export type Step = GeometryStep | ColourStep | PixelStep;

/** An operation and its place in the list, which its draws depend on. */
type At<Settled extends SettledOperation> = Settled & { readonly place: number };

interface GeometryStep {
  readonly kind: 'geometry';
  readonly changes: readonly At<GeometricChange>[];
  /** Undefined: none of them looks outside. */
  readonly fill: PictureFill | undefined;
}

interface ColourStep {
  readonly kind: 'colours';
  readonly changes: readonly At<ColourfulChange>[];
}

interface PixelStep {
  readonly kind: 'pixels';
  readonly change: At<PixelChange>;
}

/** Takes operations together, in their order, as far as they are of one kind and fill what lies outside alike. */
export function stepsOf(operations: readonly SettledOperation[]): readonly Step[] {
  const steps: Step[] = [];
  for (const [place, operation] of operations.entries()) {
    const next = stepOf(operation, place);
    const joint = jointStep(steps.at(-1), next);
    if (joint !== undefined) steps.pop();
    steps.push(joint ?? next);
  }
  return steps;
}

/** Whether an operation must know which values are black and white. */
export function needsRange(operation: SettledOperation): boolean {
  return operation.kind !== 'geometry' || typeof operation.fill === 'number';
}

function stepOf(settled: SettledOperation, place: number): Step {
  switch (settled.kind) {
    case 'geometry':
      return { kind: 'geometry', changes: [{ ...settled, place }], fill: settled.fill };
    case 'colours':
      return { kind: 'colours', changes: [{ ...settled, place }] };
    case 'pixels':
      return { kind: 'pixels', change: { ...settled, place } };
  }
}

/** Two steps as one; undefined when they must stay two. */
function jointStep(first: Step | undefined, second: Step): Step | undefined {
  if (first?.kind === 'colours' && second.kind === 'colours') {
    return { kind: 'colours', changes: [...first.changes, ...second.changes] };
  }
  if (first?.kind !== 'geometry' || second.kind !== 'geometry') return undefined;
  const fill = first.fill ?? second.fill;
  if (second.fill !== undefined && second.fill !== fill) return undefined;
  return { kind: 'geometry', changes: [...first.changes, ...second.changes], fill };
}
