// Hinge losses: predictions that are right by a margin of one have no loss. Linear in the targets.
import {
  add,
  argMax,
  cast,
  fill,
  mean,
  mul,
  neg,
  oneHot,
  relu,
  scalar,
  sub,
  sum,
  tidy,
  where,
  type Tensor,
} from '@tensorflow/tfjs-core';

/**
 * `max(0, 1 + largest other logit - own logit)`: Crammer and Singer's loss, and scikit-learn's `hinge_loss`. Keras's
 * `CategoricalHinge` is the same if a wrong logit is above 0; otherwise it uses 0 as the largest other logit. Targets
 * that are shares of classes give the weighted mean of the classes' losses.
 *
 * @param logits - [b, classes], two classes or more.
 * @param targets - [b, classes], rows that sum to 1.
 * @returns [b]
 */
export function multiClassHinge(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const isFirst = isLargest(logits);
    const isSecond = isLargest(where(cast(isFirst, 'bool'), fill(logits.shape, -Infinity), logits));
    const first = sum(mul(logits, isFirst), -1, true);
    const second = sum(mul(logits, isSecond), -1, true);
    // The largest other logit of each class: for the class with the largest logit it is the second largest.
    const rivals = add(first, mul(isFirst, sub(second, first)));
    return sum(mul(targets, relu(add(sub(rivals, logits), scalar(1)))), -1);
  });
}

/**
 * `max(0, 1 - x)` for labels that apply, `max(0, 1 + x)` for those that do not, averaged over the labels: Keras's
 * `Hinge`.
 *
 * @param logits - x, [b, labels]
 * @param targets - [b, labels], 0 … 1
 * @returns [b]
 */
export function binaryHinge(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const one = scalar(1);
    const present = mul(targets, relu(add(neg(logits), one)));
    return mean(add(present, mul(sub(one, targets), relu(add(logits, one)))), -1);
  });
}

/**
 * 1 at the largest value of each row, 0 elsewhere. Of equal values only the first is 1, so that only it gets the
 * gradient.
 */
function isLargest(values: Tensor): Tensor {
  return cast(oneHot(cast(argMax(values, -1), 'int32'), values.shape.at(-1) ?? 1), 'float32');
}
