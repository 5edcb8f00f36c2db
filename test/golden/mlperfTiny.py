"""Outputs of two published Keras models on a picture made by a formula, for test/acceptance/run.js.

python mlperfTiny.py <folder with pretrainedResnet.h5 and vww_96.h5>; written with Keras 3.15.1, TensorFlow 2.21.
"""
import json
import sys
from pathlib import Path

import keras
import numpy as np


def picture(size):
    h, w, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    return ((h * 31 + w * 17 + c * 7) % 256).astype("float32")[None]


class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras 2 wrote `groups: 1`, which Keras 3 refuses."""

    def __init__(self, groups=1, **config):
        super().__init__(**config)


found = {}
for name, size, divisor in [("pretrainedResnet", 32, 1), ("vww_96", 96, 255)]:
    custom = {"DepthwiseConv2D": DepthwiseConv2D}
    model = keras.models.load_model(Path(sys.argv[1]) / f"{name}.h5", compile=False, custom_objects=custom)
    output = model.predict(picture(size) / divisor, verbose=0)[0]
    found[name] = {"size": size, "divisor": divisor, "output": [float(value) for value in output]}
Path(__file__).with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
