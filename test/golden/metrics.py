# Makes metrics.json: scikit-learn's figures for formula-made labels and scores. The test computes the same labels and
# scores by the same formulas.
# Run with scikit-learn 1.9.1: python metrics.py > metrics.json
import json
import math

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    hamming_loss,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    top_k_accuracy_score,
)


def wave(rows, columns, scale, phase):
    return np.array(
        [[scale * math.sin(phase + (r * columns + c) * 1.7) for c in range(columns)] for r in range(rows)],
        dtype=np.float32,
    )


def per_class(actual, predicted, labels):
    figures = precision_recall_fscore_support(actual, predicted, labels=labels, zero_division=0)
    return [
        {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)} for p, r, f, s in zip(*figures)
    ]


rows = 40

# Six classes. No example is of class 4, and class 5 is never predicted: both zero divisions occur.
class_scores = wave(rows, 6, 3.0, 0.4)
class_scores[:, 5] -= 10
classes = np.array([[0, 1, 2, 3, 5][(i * i) % 5 if i % 3 else int(class_scores[i].argmax()) % 5] for i in range(rows)])
predicted = class_scores.argmax(axis=1)

# One logit; the decision is at 0.
binary_scores = wave(rows, 1, 2.0, 0.9)[:, 0]
binary = np.array([1 if (i * 7) % 10 < 4 else 0 for i in range(rows)])

# Four labels, any of them. Label 2 is in no example, label 3 is never predicted.
label_scores = wave(rows, 4, 2.0, 0.1)
label_scores[:, 3] -= 10
bits = np.array([[1 if c != 2 and (i * (c + 2)) % 5 < 2 else 0 for c in range(4)] for i in range(rows)])
label_decisions = (label_scores > 0).astype(int)

# Three numbers, predicted ever worse.
numbers = wave(rows, 3, 2.0, 1.1)
estimates = numbers + wave(rows, 3, 1.0, 0.5) * np.array([0.2, 1.0, 3.0], dtype=np.float32)

# In double precision, as the test computes.
wide = lambda values: np.asarray(values, dtype=np.float64)

print(json.dumps({
    "classes": {
        "actual": classes.tolist(),
        "accuracy": accuracy_score(classes, predicted),
        "confusion": confusion_matrix(classes, predicted, labels=range(6)).tolist(),
        "perLabel": per_class(classes, predicted, range(6)),
        "topK": [float(top_k_accuracy_score(classes, class_scores, k=k, labels=range(6))) for k in range(1, 6)],
    },
    "binary": {
        "accuracy": accuracy_score(binary, binary_scores > 0),
        "confusion": confusion_matrix(binary, binary_scores > 0).tolist(),
        "perLabel": per_class(binary, binary_scores > 0, [0, 1]),
    },
    "multiLabel": {
        "accuracy": 1 - hamming_loss(bits, label_decisions),
        "perLabel": per_class(bits, label_decisions, range(4)),
    },
    "regression": {
        "meanSquaredError": mean_squared_error(wide(numbers), wide(estimates), multioutput="raw_values").tolist(),
        "meanAbsoluteError": mean_absolute_error(wide(numbers), wide(estimates), multioutput="raw_values").tolist(),
        "rSquared": r2_score(wide(numbers), wide(estimates), multioutput="raw_values").tolist(),
        "means": [
            mean_squared_error(wide(numbers), wide(estimates)),
            mean_absolute_error(wide(numbers), wide(estimates)),
            r2_score(wide(numbers), wide(estimates)),
        ],
    },
}, indent=1))
