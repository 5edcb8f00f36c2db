# scikit-learn's linear probe on the weights that docs/accuracy.md uses: a program to compare heads with. It needs torch, pillow and
# scikit-learn:
#
#   python3 sklearnProbe.py <weights> <images> [--train train] [--test test] [--method squish]
#
# Folders are those of fastai.py. It standardises the features after average pooling, chooses C among ten by five-fold
# cross-validation, and prints one JSON object: accuracy on the test part, and seconds of reading, features and the solver.
import argparse
import json
import time
import warnings

import numpy as np
import torch
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from torchMobilenet import mobilenet
from torchPictures import Pictures, arguments, scaled


@torch.no_grad()
def features(body, pictures):
    return np.concatenate([body(scaled(pictures.batch(indices)[0])).mean((2, 3)).numpy() for indices in pictures.batches(64)])


def main():
    parser = argparse.ArgumentParser()
    arguments(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore", FutureWarning)  # of defaults to come; C_ is read in its old shape and in its new one
    begin = time.time()
    body = mobilenet(options.weights).eval()
    train = Pictures(options, options.train)
    probe = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=10, cv=5, max_iter=2000, scoring="accuracy"))
    probe.fit(features(body, train), train.labels.numpy())
    seconds = round(time.time() - begin, 1)
    test = Pictures(options, [options.test])
    print(json.dumps({
        "program": "scikit-learn's LogisticRegressionCV",
        "accuracy": round(probe.score(features(body, test), test.labels.numpy()), 4),
        "C": float(np.ravel(probe[-1].C_)[0]), "seconds": seconds, "threads": options.threads, "method": options.method,
        "train": len(train)}))


if __name__ == "__main__":
    main()
