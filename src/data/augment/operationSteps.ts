// A list of operations as steps: geometric ones that follow each other are one, and so are those of colours.
import type { PlacedOperation } from './drawing.ts';
import type {
  ColourOperation,
  GeometricOperation,
  ImageOperation,
  PictureFill,
  PixelOperation,
} from './imageOperation.ts';

/** What is done to a picture in one go. */
export type Step = GeometryStep | ColourStep | PixelStep;

interface GeometryStep {
  readonly kind: 'geometry';
  readonly operations: readonly PlacedOperation<GeometricOperation>[];
  /** Undefined: none of them looks outside. */
  readonly fill: PictureFill | undefined;
}

interface ColourStep {
  readonly kind: 'colours';
  readonly operations: readonly PlacedOperation<ColourOperation>[];
}

interface PixelStep {
  readonly kind: 'pixels';
  readonly operation: PixelOperation;
  readonly place: number;
}

/** Takes operations together, in their order, as far as they are of one kind and fill what lies outside alike. */
export function stepsOf(operations: readonly ImageOperation[]): readonly Step[] {
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
export function needsRange(operation: ImageOperation): boolean {
  const step = stepOf(operation, 0);
  return step.kind !== 'geometry' || typeof step.fill === 'number';
}

function stepOf(operation: ImageOperation, place: number): Step {
  switch (operation.name) {
    case 'flip':
    case 'randomResizedCrop':
      return { kind: 'geometry', operations: [{ operation, place }], fill: undefined };
    case 'shift':
    case 'rotate':
    case 'zoom':
    case 'shear':
    case 'perspective':
      return { kind: 'geometry', operations: [{ operation, place }], fill: operation.fill };
    case 'brightness':
    case 'contrast':
    case 'saturation':
    case 'hue':
    case 'grayscale':
      return { kind: 'colours', operations: [{ operation, place }] };
    default:
      return { kind: 'pixels', operation, place };
  }
}

/** Two steps as one; undefined when they must stay two. */
function jointStep(first: Step | undefined, second: Step): Step | undefined {
  if (first?.kind === 'colours' && second.kind === 'colours') {
    return { kind: 'colours', operations: [...first.operations, ...second.operations] };
  }
  if (first?.kind !== 'geometry' || second.kind !== 'geometry') return undefined;
  const fill = first.fill ?? second.fill;
  if (second.fill !== undefined && second.fill !== fill) return undefined;
  return { kind: 'geometry', operations: [...first.operations, ...second.operations], fill };
}
