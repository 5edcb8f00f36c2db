# Makes losses.json: losses on logits and their gradients on formula-made values, by Keras, PyTorch, torchvision and
# scikit-learn. Needs all of them in one Python, or two runs: `losses.py keras` prints Keras's and scikit-learn's part,
# `losses.py torch` PyTorch's and torchvision's; `losses.py join a.json b.json > losses.json` puts them together.
# Made with Keras 3.15 on TensorFlow 2.21, scikit-learn 1.9.1, PyTorch 1.13, torchvision 0.14.1.
import json
import math
import os
import sys

LABELS = [0, 3, 4, 1]
BITS = [[1, 0, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]]
ONE_HOT = [[1.0 if c == label else 0.0 for c in range(5)] for label in LABELS]
SHARES = [[0.7, 0.1, 0.0, 0.2, 0.0], [0.0, 0.0, 0.5, 0.5, 0.0], [0.2, 0.2, 0.2, 0.2, 0.2], [0.0, 1.0, 0.0, 0.0, 0.0]]


def wave(rows, columns, scale, phase):
    return [[scale * math.sin(phase + (r * columns + c) * 1.7) for c in range(columns)] for r in range(rows)]


LOGITS = wave(4, 5, 6.0, 0.2)
SMALL = wave(4, 5, 1.5, 0.9)
NUMBERS = wave(4, 5, 2.0, 1.1)


def keras_cases():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import numpy as np
    import tensorflow as tf
    from sklearn.metrics import hinge_loss
    from sklearn.utils.class_weight import compute_class_weight

    def case(loss, targets, logits=LOGITS):
        x = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(tf.constant(targets, tf.float32), x)
        return {"loss": float(value), "gradient": tape.gradient(value, x).numpy().tolist()}

    losses = keras.losses
    smooth = {"from_logits": True, "label_smoothing": 0.1}
    return {
        "classes": case(losses.CategoricalCrossentropy(from_logits=True), ONE_HOT),
        "classesOfShares": case(losses.CategoricalCrossentropy(from_logits=True), SHARES),
        "classesSmoothed": case(losses.CategoricalCrossentropy(**smooth), ONE_HOT),
        "multiLabel": case(losses.BinaryCrossentropy(from_logits=True), BITS),
        "multiLabelSmoothed": case(losses.BinaryCrossentropy(**smooth), BITS),
        "focalClasses": case(losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=2.0, from_logits=True), ONE_HOT, SMALL),
        "focalClassesOfShares": case(
            losses.CategoricalFocalCrossentropy(alpha=0.25, gamma=1.5, from_logits=True), SHARES, SMALL
        ),
        "hingeOfLabels": case(losses.Hinge(), BITS, SMALL),
        "categoricalHinge": case(losses.CategoricalHinge(), ONE_HOT, SMALL),
        "crammerSinger": {"loss": float(hinge_loss(LABELS, [[*row] for row in SMALL], labels=list(range(5))))},
        "regression": case(losses.MeanSquaredError(), NUMBERS),
        "meanAbsoluteError": case(losses.MeanAbsoluteError(), NUMBERS),
        "huber": case(losses.Huber(delta=1.5), NUMBERS),
        "balanced": list(
            compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=["a"] * 5 + ["b"] * 2 + ["c"] * 3)
        ),
    }


def torch_cases():
    import torch
    from torch.nn import functional
    from torchvision.ops import sigmoid_focal_loss

    def case(loss, logits=LOGITS):
        x = torch.tensor(logits, requires_grad=True)
        value = loss(x)
        value.backward()
        return {"loss": float(value), "gradient": x.grad.tolist()}

    bits = torch.tensor(BITS, dtype=torch.float32)
    numbers = torch.tensor(NUMBERS)
    shares = torch.tensor(SHARES)
    class_weights = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0])
    return {
        "torchFocal": case(lambda x: sigmoid_focal_loss(x, bits, alpha=-1, gamma=2, reduction="mean")),
        "torchFocalAlpha": case(lambda x: sigmoid_focal_loss(x, bits, alpha=0.25, gamma=0.5, reduction="mean")),
        "torchHuber": case(lambda x: functional.huber_loss(x, numbers, delta=0.5)),
        "torchL1": case(lambda x: functional.l1_loss(x, numbers)),
        # PyTorch weighs shares class by class: the sum of what each class would cost.
        "torchWeightedShares": case(
            lambda x: functional.cross_entropy(x, shares, weight=class_weights, reduction="sum") / 4
        ),
    }


if __name__ == "__main__":
    command = sys.argv[1]
    if command == "join":
        parts = [json.load(open(path)) for path in sys.argv[2:]]
        print(json.dumps({name: value for part in parts for name, value in part.items()}, indent=1))
    else:
        print(json.dumps(keras_cases() if command == "keras" else torch_cases()))
