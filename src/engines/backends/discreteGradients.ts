// Gradients of comparisons and logic: zero, as in TensorFlow. tfjs-core has none for most of them, and stops at a condition
// that depends on what is trained.
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

/** Kernels by the names of their inputs. */
const kernels = {
  x: [All, Any, LogicalNot],
  ab: [Equal, Greater, Less, LessEqual, LogicalAnd, LogicalOr, LogicalXor, NotEqual],
} as const;

/** All of them. */
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
