# Makes neighbours.json: labels and shares of nearest neighbours and nearest centroids on formula-made features. The test
# computes the same features by the same formula.
# Run with scikit-learn 1.9.1: python neighbours.py > neighbours.json
import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import normalize


def wave(rows, columns, scale, phase):
    index = np.arange(rows * columns, dtype=np.float64)
    return (scale * np.sin(phase + 0.7 * index * index)).reshape(rows, columns).astype(np.float32).astype(np.float64)


def neighbours(k, distance, weights):
    model = KNeighborsClassifier(k, metric=distance, weights=weights, algorithm="brute").fit(features, labels)
    found, _ = model.kneighbors(queries)
    shares = model.predict_proba(queries)
    return {
        "k": k,
        "distance": distance,
        "weights": weights,
        "shares": shares.tolist(),
        # Where several labels have most votes, scikit-learn takes the first by name.
        "predicted": model.predict(queries).tolist(),
        "tied": (np.isclose(shares, shares.max(axis=1, keepdims=True)).sum(axis=1) > 1).tolist(),
    }


def separations(rows, centroids, distance):
    return pairwise_distances(rows, centroids, metric="cosine" if distance == "cosine" else "sqeuclidean")


def centroids_of(rows, of):
    return np.stack([rows[of == label].mean(axis=0) for label in range(classes)])


def centroids(distance, rows, of):
    """Cosine: scikit-learn's centroids of rows of length 1, compared by direction."""
    scaled = normalize(rows) if distance == "cosine" else rows
    asked = normalize(queries) if distance == "cosine" else queries
    model = NearestCentroid().fit(scaled, of)
    between = separations(asked, model.centroids_, distance)
    predicted = model.predict(asked) if distance == "euclidean" else between.argmin(axis=1)
    judged = []
    for row, label in enumerate(of):
        if np.sum(of == label) < 2:
            continue
        others = np.arange(len(of)) != row
        own = model.centroids_.copy()
        own[label] = scaled[others & (of == label)].mean(axis=0)
        judged.append((separations(scaled[row : row + 1], own, distance)[0], label))
    doubt = 1 / (len(judged) + 2)
    targets = np.full((len(judged), classes), doubt / (classes - 1))
    targets[np.arange(len(judged)), [label for _, label in judged]] = 1 - doubt
    apart = np.stack([each for each, _ in judged])

    def loss(steepness):
        return -np.mean(np.sum(targets * log_softmax(-steepness * apart, axis=1), axis=1))

    found = minimize_scalar(loss, bounds=(0, 1000), method="bounded", options={"xatol": 1e-10, "maxiter": 1000})
    return {
        "distance": distance,
        "steepness": float(found.x),
        "shares": softmax(-found.x * between, axis=1).tolist(),
        "predicted": predicted.tolist(),
    }


classes = 4
rows = np.arange(40)
labels = (rows * 7) % classes
# Every label has a direction of its own.
features = wave(40, 6, 1.5, 0.4) + 1.5 * wave(classes, 6, 1, 2.1)[labels]
features = features.astype(np.float32).astype(np.float64)
queries = (wave(25, 6, 1.5, 1.3) + 1.5 * wave(classes, 6, 1, 2.1)[(np.arange(25) * 3) % classes]).astype(np.float32)
queries = queries.astype(np.float64)
# One label with a single example, which cannot be left out.
few = np.concatenate([rows[labels == label][:n] for label, n in enumerate((1, 2, 3, 5))])
result = {
    "neighbours": [
        neighbours(k, distance, weights)
        for distance in ("euclidean", "cosine")
        for weights in ("uniform", "distance")
        for k in (1, 4, 7)
    ],
    "centroids": [centroids(distance, features, labels) for distance in ("euclidean", "cosine")],
    "few": [centroids(distance, features[few], labels[few]) for distance in ("euclidean", "cosine")],
}
print(json.dumps(result))
