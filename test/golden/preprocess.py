"""Makes preprocess.json: numbers of TensorFlow's resizing and of Keras' preprocessing.

Run with TensorFlow 2.21 and Keras 3.15: python preprocess.py
Pictures are a formula, so that the file holds results only: pixel(i) = (i * 7919 + i * i % 251) % 256, RGB, row by row.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf


def picture(height, width):
    i = np.arange(height * width * 3, dtype=np.int64)
    return ((i * 7919 + (i * i) % 251) % 256).astype(np.float32).reshape(height, width, 3)


def flat(array):
    return [float(f"{value:.9g}") for value in np.asarray(array, dtype=np.float32).ravel()]


SIZES = [
    # from height, width -> to height, width
    ((4, 4), (2, 2)),
    ((5, 7), (3, 4)),
    ((7, 5), (11, 9)),
    ((3, 3), (8, 8)),
    ((23, 17), (4, 5)),
    ((6, 10), (6, 10)),
    ((1, 9), (3, 2)),
    ((9, 1), (2, 5)),
    ((13, 31), (13, 7)),
]
METHODS = {
    "bilinear": dict(method="bilinear", antialias=False),
    "antialias": dict(method="bilinear", antialias=True),
    "nearest": dict(method="nearest"),
}
FITS = {"cover": "crop_to_aspect_ratio", "contain": "pad_to_aspect_ratio"}


def resized():
    for source, target in SIZES:
        for name, options in METHODS.items():
            yield dict(
                picture=source, size=target, resize=name, fit="stretch",
                values=flat(tf.image.resize(picture(*source), target, **options)),
            )


def fitted():
    for source, target in [((9, 14), (4, 4)), ((14, 9), (4, 4)), ((8, 5), (3, 7)), ((5, 12), (6, 5)), ((3, 40), (5, 2))]:
        for fit, option in FITS.items():
            for name, antialias in [("bilinear", False), ("antialias", True)]:
                values = keras.ops.image.resize(
                    picture(*source), target, interpolation="bilinear", antialias=antialias, **{option: True}
                )
                yield dict(picture=source, size=target, resize=name, fit=fit, values=flat(values))
        values = keras.preprocessing.image.smart_resize(picture(*source), target)
        yield dict(picture=source, size=target, resize="bilinear", fit="cover", values=flat(values))


def modes():
    pixels = picture(3, 4)
    applications = {
        "tf": keras.applications.mobilenet_v2,
        "caffe": keras.applications.resnet50,
        "torch": keras.applications.densenet,
        "raw": keras.applications.efficientnet,
    }
    for mode, module in applications.items():
        yield dict(mode=mode, values=flat(module.preprocess_input(pixels.copy())))
    yield dict(mode="unit", values=flat(keras.layers.Rescaling(1 / 255)(pixels)))
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.25, 0.5]
    normalization = keras.layers.Normalization(mean=np.array(mean) * 255, variance=(np.array(std) * 255) ** 2)
    yield dict(mode=dict(mean=mean, std=std), values=flat(normalization(pixels)))


def gray():
    for source, target in [((5, 7), (3, 4)), ((7, 5), (11, 9)), ((23, 17), (4, 5)), ((6, 10), (6, 10))]:
        for name, options in METHODS.items():
            values = tf.image.resize(tf.image.rgb_to_grayscale(picture(*source)), target, **options)
            yield dict(picture=source, size=target, resize=name, mode="raw", values=flat(values))
    luma = tf.image.rgb_to_grayscale(picture(3, 4))
    scaled = {
        "tf": keras.applications.mobilenet_v2.preprocess_input(luma.numpy().copy()),
        "unit": keras.layers.Rescaling(1 / 255)(luma),
    }
    for mode, values in scaled.items():
        yield dict(picture=(3, 4), size=(3, 4), resize="nearest", mode=mode, values=flat(values))
    normalization = keras.layers.Normalization(mean=[0.1307 * 255], variance=[(0.3081 * 255) ** 2])
    yield dict(picture=(3, 4), size=(3, 4), resize="nearest", mode=dict(mean=0.1307, std=0.3081), values=flat(normalization(luma)))


here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "preprocess.json"), "w") as file:
    cases = dict(tensorflow=tf.__version__, keras=keras.__version__, resize=[*resized(), *fitted()], modes=[*modes()], gray=[*gray()])
    rows = [f' "{k}": {json.dumps(v)}' if isinstance(v, str) else f' "{k}": [\n' + ",\n".join("  " + json.dumps(r, separators=(",", ":")) for r in v) + "\n ]" for k, v in cases.items()]
    file.write("{\n" + ",\n".join(rows) + "\n}\n")
