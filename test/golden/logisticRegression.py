# Makes logisticRegression.json: optima of logistic regression on formula-made features. The test computes the same
# features by the same formula.
# Run with scikit-learn 1.9.1: python logisticRegression.py > logisticRegression.json
import json

import numpy as np
from sklearn.linear_model import LogisticRegression


def wave(rows, columns, scale, phase):
    index = np.arange(rows * columns, dtype=np.float64)
    return (scale * np.sin(phase + 0.7 * index * index)).reshape(rows, columns).astype(np.float32).astype(np.float64)


def fit(features, classes, l2, weights=None):
    """The penalty on the mean loss, l2 / 2 |w|^2, is C = 1 / (l2 n) on the sum that scikit-learn minimises."""
    total = len(classes) if weights is None else np.sum(weights)
    model = LogisticRegression(C=1 / (l2 * total), tol=1e-12, max_iter=100000)
    model.fit(features, classes, sample_weight=weights)
    logits = model.decision_function(features)
    if logits.ndim == 1:
        logits = np.stack([np.zeros_like(logits), logits], axis=1)
    most = logits.max(axis=1, keepdims=True)
    logarithms = logits - most - np.log(np.exp(logits - most).sum(axis=1, keepdims=True))
    losses = -logarithms[np.arange(len(classes)), classes]
    return {
        "l2": l2,
        "loss": float(np.average(losses, weights=weights) + l2 / 2 * np.sum(model.coef_**2)),
        "coefficients": model.coef_.tolist(),
        "intercepts": model.intercept_.tolist(),
    }


rows = np.arange(30)
features = wave(30, 5, 1.5, 0.4)
classes = (rows * 7) % 4
halves = ((rows * 7) % 10 < 4).astype(int)
weights = 1 + rows % 3
result = {
    "classes": [fit(features, classes, l2) for l2 in (1, 0.01, 0.0001)],
    "weighted": [fit(features, classes, 0.01, weights)],
    "binary": [fit(features, halves, l2) for l2 in (1, 0.01, 0.0001)],
    # More features than examples: the classes can be told apart without an error.
    "wide": [fit(wave(12, 40, 1, 0.9), rows[:12] % 3, l2) for l2 in (0.1, 0.0001)],
}
print(json.dumps(result))
