// Preprocessed inputs of a batch, gathered while they are read: written right into one block where the preprocessor can do
// that, else as a tensor for each.
import { dispose, getBackend, stack, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { writerOf, type InputWriter } from '../../model/inputWriter.ts';
import { fits, sizeOf } from '../../core/shapes.ts';
import type { Base } from '../../model/model.ts';
import { assertEqualShapes, preprocess } from './preprocess.ts';

/** Where the inputs of one batch gather. */
export interface Gathering {
  /**
   * Preprocesses one raw input.
   *
   * @param place - From 0 on, in the order of the batch.
   * @param id - What errors call the example.
   */
  add(place: number, input: unknown, id: string): Promise<void>;
  /**
   * The inputs at some places as one tensor, which the caller owns; undefined when there are none.
   *
   * @param places - In rising order. Nothing may be under way.
   */
  finish(places: readonly number[]): Tensor | undefined;
  /** Frees what was gathered. Nothing may be under way. */
  dispose(): void;
}

/** Starts the gathering of `count` inputs. */
export type Gather = (count: number) => Gathering;

/** How inputs for a base gather, batch after batch. */
export function gatherFor(verb: string, base: Base): Gather {
  const writer = writerOf(base.preprocessor);
  const { shape, dtype } = base.trunk.input;
  // What does not fit is for the other way to raise.
  const writes = writer !== undefined && dtype === 'float32' && fits(writer.shape, shape.slice(1));
  return writes ? gatherValues(writer) : () => gatherTensors(verb, base);
}

function gatherTensors(verb: string, base: Base): Gathering {
  const tensors = new Map<number, Tensor>();
  return {
    async add(place, input, id) {
      tensors.set(place, await preprocess(verb, base, input, id));
    },
    finish(places) {
      const inputs = places.flatMap((place) => tensors.get(place) ?? []);
      assertEqualShapes(
        verb,
        inputs.map((input) => input.shape),
      );
      return inputs.length === 0 ? undefined : stack(inputs);
    },
    dispose() {
      dispose([...tensors.values()]);
    },
  };
}

/** Fresh memory costs more than writing to it: blocks that are free again are used for the next batch. */
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
        // A tensor on wasm has a copy of its values from the start; on other backends it may go on using them.
        lent = getBackend() !== 'wasm';
        return tensor(block.subarray(0, places.length * width), [places.length, ...writer.shape]);
      },
      dispose() {
        if (!lent) spare.push(block);
      },
    };
  };
}
