// Collects the preprocessed inputs of a batch while they are read: in one block of memory where the preprocessor
// supports that, else as one tensor for each.
import { dispose, getBackend, stack, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { writerOf, type InputWriter } from '../../model/inputWriter.ts';
import { fits, sizeOf } from '../../core/shapes.ts';
import type { Base } from '../../model/model.ts';
import { assertEqualShapes, preprocess } from './preprocess.ts';

/** Collects the inputs of one batch. */
export interface Gathering {
  /**
   * Preprocesses one raw input.
   *
   * @param place - Position in the batch, from 0 on.
   * @param id - Name of the example in errors.
   */
  add(place: number, input: unknown, id: string): Promise<void>;
  /**
   * Returns the inputs at some places as one tensor, which the caller owns; undefined when there are none.
   *
   * @param places - In rising order. All calls of `add` must have finished.
   */
  finish(places: readonly number[]): Tensor | undefined;
  /** Frees all inputs. All calls of `add` must have finished. */
  dispose(): void;
}

/** Starts to collect `count` inputs. */
export type Gather = (count: number) => Gathering;

/** Returns the way to collect inputs for a base. */
export function gatherFor(base: Base): Gather {
  const writer = writerOf(base.preprocessor);
  const { shape, dtype } = base.trunk.input;
  // Inputs that do not fit are left to the general way, which raises.
  const writes = writer !== undefined && dtype === 'float32' && fits(writer.shape, shape.slice(1));
  return writes ? gatherValues(writer) : () => gatherTensors(base);
}

function gatherTensors(base: Base): Gathering {
  const tensors = new Map<number, Tensor>();
  return {
    async add(place, input, id) {
      tensors.set(place, await preprocess(base, input, id));
    },
    finish(places) {
      const inputs = places.flatMap((place) => tensors.get(place) ?? []);
      assertEqualShapes(inputs.map((input) => input.shape));
      return inputs.length === 0 ? undefined : stack(inputs);
    },
    dispose() {
      dispose([...tensors.values()]);
    },
  };
}

/** Allocating memory costs more than writing to it, so free blocks are reused for the next batch. */
function gatherValues(writer: InputWriter): Gather {
  const width = sizeOf(writer.shape);
  const spare: Float32Array[] = [];
  return (count) => {
    const fitting = spare.findIndex(({ length }) => length >= count * width);
    const block = spare.splice(fitting, fitting === -1 ? 0 : 1)[0] ?? new Float32Array(count * width);
    let lent = false;
    return {
      add: (place, input) => writer.write(input, block.subarray(place * width, (place + 1) * width)),
      finish(places) {
        if (places.length === 0) return undefined;
        places.forEach((place, row) => {
          if (place !== row) block.copyWithin(row * width, place * width, (place + 1) * width);
        });
        // A tensor on wasm copies its values when it is made; on other backends it may keep using the block.
        lent = getBackend() !== 'wasm';
        return tensor(block.subarray(0, places.length * width), [places.length, ...writer.shape]);
      },
      dispose() {
        if (!lent) spare.push(block);
      },
    };
  };
}
