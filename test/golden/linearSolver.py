# Makes linearSolver.json: optima of linear heads on standardised features, as scikit-learn finds them. The test computes the
# same features and targets by the same formulas.
# Run with scikit-learn 1.9.1: python linearSolver.py > linearSolver.json
import json

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler


def wave(rows, columns, scale, phase, offset=0.0):
    index = np.arange(rows * columns, dtype=np.float64)
    values = offset + scale * np.sin(phase + 0.7 * index * index)
    return values.reshape(rows, columns).astype(np.float32).astype(np.float64)


def features():
    """Columns far from 0 and of very different sizes; one that does not vary."""
    columns = wave(40, 6, 1, 0.4) * np.array([1, 100, 0.01, 5, 1, 1]) + np.array([0, 50, 0, -30, 2, 0])
    columns[:, 5] = 7
    return columns.astype(np.float32).astype(np.float64)


def softmax_loss(logits, shares):
    most = logits.max(axis=1, keepdims=True)
    return -(shares * (logits - most - np.log(np.exp(logits - most).sum(axis=1, keepdims=True)))).sum(axis=1)


def sigmoid_loss(logits, targets):
    return (np.logaddexp(0, logits) - targets * logits).sum(axis=1)


def half_squares(values, targets):
    return ((values - targets) ** 2).sum(axis=1) / 2


def scaler(values, weights):
    return StandardScaler().fit(values, sample_weight=weights)


def result(l2, model_coefficients, outputs, losses, weights):
    objective = np.average(losses, weights=weights) + l2 / 2 * np.sum(model_coefficients**2)
    return {"l2": l2, "objective": float(objective), "outputs": outputs.tolist()}


def expand(x, shares, weights):
    """Shares as examples of one class each, weighted."""
    classes = shares.shape[1]
    pairs = [(i, k) for i in range(len(x)) for k in range(classes) if shares[i, k] > 0]
    return (
        x[[i for i, _ in pairs]],
        np.array([k for _, k in pairs]),
        np.array([weights[i] * shares[i, k] for i, k in pairs]),
    )


def logistic(x, classes, weights, l2):
    return LogisticRegression(C=1 / (l2 * weights.sum()), tol=1e-12, max_iter=100000).fit(x, classes, weights)


def fit_classes(l2, shares, weights):
    x = scaler(features(), weights).transform(features())
    model = logistic(*expand(x, shares, weights), l2)
    logits = model.decision_function(x)
    # What is added to all logits has no part in the loss.
    centred = logits - logits.mean(axis=1, keepdims=True)
    return result(l2, model.coef_, centred, softmax_loss(logits, shares), weights)


def fit_labels(l2, targets, weights):
    x = scaler(features(), weights).transform(features())
    shares = [np.stack([1 - column, column], axis=1) for column in targets.T]
    models = [logistic(*expand(x, each, weights), l2) for each in shares]
    logits = np.stack([model.decision_function(x) for model in models], axis=1)
    coefficients = np.concatenate([model.coef_ for model in models])
    return result(l2, coefficients, logits, sigmoid_loss(logits, targets), weights)


def fit_numbers(l2, targets, weights):
    x = scaler(features(), weights).transform(features())
    scale = scaler(targets, weights)
    y = scale.transform(targets)
    model = Ridge(alpha=l2 * weights.sum(), tol=1e-12).fit(x, y, weights)
    values = model.predict(x)
    return result(l2, model.coef_, scale.inverse_transform(values), half_squares(values, y), weights)


def cross_validated(l2, classes):
    """Mean loss on held-out rows; row i is in fold i mod 4."""
    x = wave(40, 6, 1, 0.4)
    rows = np.arange(40)
    losses = []
    for fold in range(4):
        inside = rows % 4 == fold
        model = logistic(x[~inside], classes[~inside], np.ones((~inside).sum()), l2)
        losses.extend(softmax_loss(model.decision_function(x[inside]), np.eye(3)[classes[inside]]))
    return {"l2": l2, "loss": float(np.mean(losses))}


rows = np.arange(40)
ones = np.ones(40)
weights = 1.0 + rows % 3
classes = (rows * 7) % 3
one_hot = np.eye(3)[classes]
soft = np.stack([0.15 + 0.55 * (classes == k) for k in range(3)], axis=1)
halves = ((rows * 7) % 10 < 4).astype(float)[:, None]
tags = np.stack([(rows * 7) % 10 < 4, rows % 3 == 0, (rows * 11) % 7 < 3], axis=1).astype(float)
numbers = np.stack([100 + 20 * np.sin(0.3 * rows), 0.01 * np.cos(0.5 * rows)], axis=1)
numbers = numbers.astype(np.float32).astype(np.float64)
print(
    json.dumps(
        {
            "classes": [fit_classes(l2, one_hot, ones) for l2 in (1, 0.01, 0.0001)],
            "weighted": [fit_classes(0.01, one_hot, weights)],
            "soft": [fit_classes(0.01, soft, ones)],
            "binary": [fit_labels(l2, halves, ones) for l2 in (1, 0.01)],
            "multiLabel": [fit_labels(l2, tags, weights) for l2 in (1, 0.01)],
            "regression": [fit_numbers(l2, numbers, weights) for l2 in (1, 0.01, 0.0001)],
            "crossValidated": [cross_validated(l2, classes) for l2 in (1, 0.1, 0.01)],
        }
    )
)
