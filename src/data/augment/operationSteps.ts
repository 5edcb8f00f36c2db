// Groups a list of operations into steps: consecutive geometric operations become one step, and so do those of colours.
import type { ColourfulChange, GeometricChange, PictureFill, PixelChange, SettledOperation } from './operation.ts';

/** A change of a picture that is computed at once. */
export type Step = GeometryStep | ColourStep | PixelStep;

/** An operation and its position in the list, which seeds its draws. */
type At<Settled extends SettledOperation> = Settled & { readonly place: number };

interface GeometryStep {
  readonly kind: 'geometry';
  readonly changes: readonly At<GeometricChange>[];
  /** Undefined when none of them reads outside the picture. */
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

/** Combines consecutive operations of one kind, if they use the same fill. */
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

/** Whether an operation needs to know the values of black and white. */
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

/** Combines two steps into one; undefined when that is not possible. */
function jointStep(first: Step | undefined, second: Step): Step | undefined {
  if (first?.kind === 'colours' && second.kind === 'colours') {
    return { kind: 'colours', changes: [...first.changes, ...second.changes] };
  }
  if (first?.kind !== 'geometry' || second.kind !== 'geometry') return undefined;
  const fill = first.fill ?? second.fill;
  if (second.fill !== undefined && second.fill !== fill) return undefined;
  return { kind: 'geometry', changes: [...first.changes, ...second.changes], fill };
}
