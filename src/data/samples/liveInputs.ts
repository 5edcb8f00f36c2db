// Refuses inputs of a page that would have changed by the time that a verb reads them.
import { TransferKitError } from '../../core/errors.ts';
import { isObject } from '../../core/optionChecks.ts';

/**
 * Raises for a video, whose frame would be that of the time of reading, and for a canvas that stands for several
 * examples, which would all be what it shows then.
 *
 * @throws TransferKitError `INVALID_OPTION`.
 */
export function assertStill(inputs: readonly unknown[], ids: readonly string[]): void {
  const canvases = new Map<unknown, number>();
  for (const [index, input] of inputs.entries()) {
    const kind = kindOf(input);
    if (kind === 'HTMLVideoElement') {
      const what = `a video element for '${ids[index] ?? ''}', whose frame would be that of the moment of reading`;
      throw changing(what, 'video', { index });
    }
    if (kind !== 'HTMLCanvasElement' && kind !== 'OffscreenCanvas') continue;
    const first = canvases.get(input);
    if (first !== undefined) {
      const what = `the same canvas for '${ids[first] ?? ''}' and '${ids[index] ?? ''}', which would both be what it shows then`;
      throw changing(what, 'canvas', { index, first });
    }
    canvases.set(input, index);
  }
}

function changing(what: string, element: string, details: Readonly<Record<string, number>>): TransferKitError {
  const text =
    `expected inputs that stay as they are until a verb reads them, got ${what}. ` +
    `Give a copy of each moment: await createImageBitmap(${element}).`;
  return new TransferKitError('INVALID_OPTION', text, details);
}

/** The name of an element's class, also of an element of another frame. */
function kindOf(input: unknown): string {
  return isObject(input) ? Object.prototype.toString.call(input).slice('[object '.length, -1) : '';
}
