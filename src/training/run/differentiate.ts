// Gradients by tfjs's tape, without the leak of tfjs when a gradient fails.
import {
  dispose,
  engine,
  tidy,
  variableGrads,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { isTransferKitError, TransferKitError } from '../../core/errors.ts';

/**
 * Value of a loss and its gradients by variable name.
 *
 * @param kept - Tensors that `loss` keeps for its caller; freed if the computation fails.
 * @throws TransferKitError `UNSUPPORTED_LAYER` if an operation has no gradient; no tensor leaks.
 */
export function differentiate(
  kept: readonly Tensor[],
  loss: () => Scalar,
  variables: Variable[],
): { value: Scalar; grads: NamedTensorMap } {
  try {
    // The scope frees the loss if its gradients fail.
    return tidy(() => variableGrads(loss, variables));
  } catch (error) {
    dispose([...kept]);
    releaseTape();
    if (isTransferKitError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransferKitError(
      'UNSUPPORTED_LAYER',
      `expected unfrozen layers that tfjs can differentiate, got one that it cannot: ${reason.replace(/[.\s]*$/, '.')} Freeze the layers up to it.`,
      { reason },
      error,
    );
  }
}

/** Frees tensors that operations saved for their gradients; tfjs does so only if all gradients succeed. */
function releaseTape(): void {
  const { state } = engine();
  // No tape is active between two computations.
  if (!Array.isArray(state.activeTape)) return;
  for (const node of state.activeTape) dispose(node.saved ?? []);
  state.activeTape = [];
}
