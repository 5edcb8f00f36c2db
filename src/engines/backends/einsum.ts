// Einstein sums as transpositions and matrix products: tfjs has no kernel for wasm, and no gradient at all. Attention
// layers use them.
import {
  Einsum,
  Tensor,
  broadcastTo,
  matMul,
  reshape,
  sum,
  tidy,
  transpose,
  type GradConfig,
  type KernelConfig,
} from '@tensorflow/tfjs-core';

/** A tensor with a letter for each of its axes. */
interface Term {
  readonly letters: string;
  readonly tensor: Tensor;
}

/** The kernel for wasm. */
export const einsumKernel: KernelConfig = {
  kernelName: Einsum,
  backendName: 'wasm',
  kernelFunc: ({ inputs, attrs = {} }) => {
    const tensors = Object.values(inputs)
      .flat()
      .filter((each) => each instanceof Tensor);
    const { terms, output } = readEquation(String(attrs.equation), tensors);
    return tidy(() => contract(terms, output).tensor);
  },
};

/**
 * The gradient for every backend: that of a factor is the Einstein sum of the output's gradient and all other factors.
 */
export const einsumGradient: GradConfig = {
  kernelName: Einsum,
  saveAllInputs: true,
  gradFunc: (dy, saved, { equation }) => {
    if (Array.isArray(dy)) throw new RangeError('expected one gradient, got several');
    const { terms, output } = readEquation(String(equation), saved);
    const partials = terms.map((term) => () => {
      const others = terms.filter((each) => each !== term);
      const known = [output, ...others.map(({ letters }) => letters)].join('');
      const kept = Array.from(term.letters)
        .filter((letter) => known.includes(letter))
        .join('');
      const found = contract([{ letters: output, tensor: dy }, ...others], kept).tensor;
      // An axis that only this factor has was summed: its gradient is the same along that axis.
      const shape = term.tensor.shape.map((size, axis) => (kept.includes(term.letters.charAt(axis)) ? size : 1));
      return broadcastTo(reshape(found, shape), term.tensor.shape);
    });
    return Object.fromEntries(partials.map((partial, i) => [String(i), partial]));
  },
};

/** @throws RangeError For an equation that does not fit its tensors, or that repeats a letter in a term. */
function readEquation(
  equation: string,
  tensors: readonly Tensor[],
): { readonly terms: Term[]; readonly output: string } {
  const [inputs = '', output = ''] = equation.replace(/\s/g, '').split('->');
  const terms = inputs.split(',').map((letters, i) => {
    const tensor = tensors[i];
    if (tensor?.rank !== letters.length || new Set(letters).size !== letters.length) {
      throw new RangeError(`einsum '${equation}': term '${letters}' does not name the axes of its tensor, each once`);
    }
    return { letters, tensor };
  });
  return { terms, output };
}

/** The product of all terms, summed over the letters that the output does not have. */
function contract([first, ...rest]: readonly Term[], output: string): Term {
  if (first === undefined) throw new RangeError('an Einstein sum of nothing');
  const joined = rest.reduce((left, right, i) => {
    const later = rest.slice(i + 1).map(({ letters }) => letters);
    return multiply(left, right, new Set([output, ...later].join('')));
  }, first);
  return arrange(sumOut(joined, new Set(output)), output);
}

/** The product of two terms, summed over the letters that are not needed afterwards. */
function multiply(a: Term, b: Term, needed: ReadonlySet<string>): Term {
  const left = sumOut(a, new Set([...needed, ...Array.from(b.letters)]));
  const right = sumOut(b, new Set([...needed, ...Array.from(a.letters)]));
  const shared = Array.from(left.letters).filter((letter) => right.letters.includes(letter));
  const batch = shared.filter((letter) => needed.has(letter)).join('');
  const summed = shared.filter((letter) => !needed.has(letter)).join('');
  const ofLeft = Array.from(left.letters)
    .filter((letter) => !right.letters.includes(letter))
    .join('');
  const ofRight = Array.from(right.letters)
    .filter((letter) => !left.letters.includes(letter))
    .join('');
  const sizes = new Map([...sizesOf(left), ...sizesOf(right)]);
  const size = (letters: string) =>
    Array.from(letters).reduce((product, letter) => product * (sizes.get(letter) ?? 1), 1);
  const matrices = [batch, ofLeft, summed, ofRight].map(size);
  const [count = 1, rows = 1, inner = 1, columns = 1] = matrices;
  const x = reshape(arrange(left, batch + ofLeft + summed).tensor, [count, rows, inner]);
  const y = reshape(arrange(right, batch + summed + ofRight).tensor, [count, inner, columns]);
  const letters = batch + ofLeft + ofRight;
  const shape = Array.from(letters).map((letter) => sizes.get(letter) ?? 1);
  return { letters, tensor: reshape(matMul(x, y), shape) };
}

function sumOut({ letters, tensor }: Term, needed: ReadonlySet<string>): Term {
  const axes = Array.from(letters).flatMap((letter, axis) => (needed.has(letter) ? [] : [axis]));
  if (axes.length === 0) return { letters, tensor };
  return {
    letters: Array.from(letters)
      .filter((letter) => needed.has(letter))
      .join(''),
    tensor: sum(tensor, axes),
  };
}

/** Transposes a term so that its axes are in the order of the letters. */
function arrange({ letters, tensor }: Term, order: string): Term {
  if (letters === order) return { letters, tensor };
  return {
    letters: order,
    tensor: transpose(
      tensor,
      Array.from(order).map((letter) => letters.indexOf(letter)),
    ),
  };
}

function sizesOf({ letters, tensor }: Term): [string, number][] {
  return Array.from(letters).map((letter, axis) => [letter, tensor.shape[axis] ?? 1]);
}
