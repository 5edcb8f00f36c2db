// Gradients of comparisons and logic: zero, as in TensorFlow. tfjs-core has none for most of them, and raises where a
// condition depends on a trained weight.
import {
  All,
  Any,
  Equal,
  Greater,
  Less,
  LessEqual,
  LogicalAnd,
  LogicalNot,
  LogicalOr,
  LogicalXor,
  NotEqual,
  zeros,
  type GradConfig,
} from '@tensorflow/tfjs-core';

/** Kernels and the names of their inputs. */
const kernels = {
  x: [All, Any, LogicalNot],
  ab: [Equal, Greater, Less, LessEqual, LogicalAnd, LogicalOr, LogicalXor, NotEqual],
} as const;

/** Returns all of these gradients. */
export function discreteGradients(): readonly GradConfig[] {
  return Object.entries(kernels).flatMap(([inputs, names]) =>
    names.map((name) => zeroGradient(name, Array.from(inputs))),
  );
}

function zeroGradient(kernelName: string, inputsToSave: string[]): GradConfig {
  return {
    kernelName,
    inputsToSave,
    gradFunc: (_, saved) =>
      Object.fromEntries(inputsToSave.map((name, i) => [name, () => zeros(saved[i]?.shape ?? [])])),
  };
}
