# Makes calibration.json: temperatures by scikit-learn, calibration errors by numpy, and F1 scores by threshold, for logits and
# targets made by formulas. The test computes the same logits and targets by the same formulas.
# Run with scikit-learn 1.9.1: python calibration.py > calibration.json
import json
import math

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, f1_score, log_loss


def wave(rows, columns, scale, phase):
    # As float32, which the test's logits are.
    return np.array(
        [[scale * math.sin(phase + (r * columns + c) * 1.7) for c in range(columns)] for r in range(rows)],
        dtype=np.float32,
    ).astype(np.float64)


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose decision function is its input."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x):
        return x if x.shape[1] > 1 else x[:, 0]

    def predict(self, x):
        raise NotImplementedError


def temperature(logits, targets):
    given = Given().fit(logits, targets)
    calibrated = CalibratedClassifierCV(FrozenEstimator(given), method="temperature")
    calibrated.fit(logits, targets)
    # One column x becomes the logits (-x, x), whose softmax is the sigmoid of 2 x.
    return 1 / calibrated.calibrated_classifiers_[0].calibrators[0].beta_ / (2 if logits.shape[1] == 1 else 1)


def calibration_error(confidence, right, ranges=15):
    edges = np.linspace(0, 1, ranges + 1)
    total = 0.0
    for lower, upper in zip(edges[:-1], edges[1:]):
        inside = (confidence > lower) & (confidence <= upper)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


ROWS = 60
# Logits that are far too sure: each row's own class is right two times of three, the next one else.
classes_logits = wave(ROWS, 4, 9.0, 0.3)
classes_targets = np.array([(int(np.argmax(row)) + (0 if r % 3 else 1)) % 4 for r, row in enumerate(classes_logits)])
binary_logits = wave(ROWS, 1, 3.0, 0.7)
binary_targets = np.array([int((row[0] > 0) != (r % 4 == 0)) for r, row in enumerate(binary_logits)])
labels_logits = wave(ROWS, 3, 2.0, 1.9)
labels_targets = np.array(
    [[int((v > 0.4 * c - 1.2) != ((r + c) % 5 == 0)) for c, v in enumerate(row)] for r, row in enumerate(labels_logits)]
)


def classes_figures(t):
    p = softmax(classes_logits / t, axis=1)
    right = p.argmax(axis=1) == classes_targets
    return {"loss": log_loss(classes_targets, p), "expectedCalibrationError": calibration_error(p.max(axis=1), right)}


def binary_figures(t):
    p = expit(binary_logits[:, 0] / t)
    right = (p > 0.5) == binary_targets
    return {"loss": log_loss(binary_targets, p), "expectedCalibrationError": calibration_error(np.maximum(p, 1 - p), right)}


def tuned(score, column):
    p = expit(labels_logits[:, column])
    y = labels_targets[:, column]
    points = np.unique(p)
    candidates = [0.0, 0.5, 1.0, *((points[1:] + points[:-1]) / 2)]
    return max(float(score(y, p > t)) for t in candidates)


def f1(y, decided):
    return f1_score(y, decided, zero_division=0)


found = {"classes": temperature(classes_logits, classes_targets), "binary": temperature(binary_logits, binary_targets)}
print(
    json.dumps(
        {
            "classes": {
                "temperature": found["classes"],
                "before": classes_figures(1),
                "after": classes_figures(found["classes"]),
            },
            "binary": {
                "temperature": found["binary"],
                "before": binary_figures(1),
                "after": binary_figures(found["binary"]),
            },
            "f1": {
                "before": [float(f1(labels_targets[:, c], labels_logits[:, c] > 0)) for c in range(3)],
                "after": [tuned(f1, c) for c in range(3)],
            },
            "accuracy": {
                "before": [float(accuracy_score(labels_targets[:, c], labels_logits[:, c] > 0)) for c in range(3)],
                "after": [tuned(accuracy_score, c) for c in range(3)],
            },
        },
        indent=1,
    )
)
