# Makes keras3.json: small models as Keras 3 writes them, with formula-made weights and what they compute.
# Run with Keras 3.15.1 on TensorFlow: python3 keras3.py > keras3.json
import json
import math

import keras
import numpy as np
from keras import layers


def wave(shape, scale, phase, offset=0.0):
    size = int(np.prod(shape))
    values = [offset + scale * math.sin(phase + i * 1.7) for i in range(size)]
    return np.array(values, dtype="float32").reshape(shape)


def numbers(x):
    return [float(f"{v:.7g}") for v in np.asarray(x).astype("float64").ravel()]


def mixed():
    """Operations, augmentation, activations and settings that tfjs has otherwise or not at all."""
    x = inputs = keras.Input((8, 8, 3), name="picture")
    x = layers.RandomFlip("horizontal", name="flip")(x)
    x = layers.RandomRotation(0.1, name="turn")(x)
    x = layers.RandomCrop(8, 8, name="crop")(x)
    x = layers.Rescaling([0.5, 1.0, 2.0], name="scale")(x)
    x = (x - 0.25) / 1.5
    x = layers.Conv2D(8, 3, activation="hard_silu", kernel_regularizer="l2", kernel_initializer="lecun_normal",
                      kernel_constraint="max_norm", name="conv1")(x)
    x = layers.BatchNormalization(name="bn1")(x)
    x = layers.GaussianNoise(0.1, name="noise")(x)
    y = layers.Conv2D(8, 3, groups=4, padding="same", activation=keras.activations.gelu, name="grouped")(x)
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y)
    y = layers.Activation("hard_sigmoid", name="gate")(y)
    x = x * y + 3.0
    x = 2.0 - x
    x = x - y
    x = layers.ReLU(negative_slope=0.1, name="leaky1")(x)
    x = layers.LeakyReLU(negative_slope=0.3, name="leaky2")(x)
    x = layers.SpatialDropout2D(0.2, name="drop")(x)
    z = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    z = layers.Conv2D(8, 1, activation="relu6", name="excite")(z * 0.1) + 0.5
    x = layers.Multiply(name="weigh")([x, z])
    x = keras.ops.relu(x + 2.0)
    x = keras.activations.gelu(x, approximate=True)
    x = x + np.linspace(0, 1, 8).astype("float32")
    x = keras.ops.mean(x, axis=[1, 2])
    outputs = layers.Dense(4, activation="silu", name="top")(x)
    return keras.Model(inputs, outputs, name="mixed")


def nested():
    """A model in a model, with a layer that is called twice."""
    a = keras.Input((6,), name="inner_in")
    b = layers.Dense(6, activation="swish", name="inner_dense")(a)
    inner = keras.Model(a, layers.Subtract(name="inner_less")([a, b]), name="inner")
    x = keras.Input((6,), name="outer_in")
    shared = layers.Dense(6, activation="tanh", name="shared")
    y = shared(inner(shared(x)))
    return keras.Model(x, layers.Concatenate(name="both")([x, y]), name="outer")


def stacked():
    """A Sequential without an InputLayer of its own, around a Functional and a Sequential."""
    a = keras.Input((4, 4, 3), name="body_in")
    body = keras.Model(a, layers.Conv2D(5, 2, activation="leaky_relu", name="body_conv")(a), name="body")
    head = keras.Sequential([layers.Flatten(name="flat"), layers.Dense(3, name="head_dense")], name="head")
    model = keras.Sequential([layers.RandomZoom(0.2, name="zoom"), body, layers.Dropout(0.5, name="drop"), head],
                             name="stacked")
    model.build((None, 4, 4, 3))
    return model


def sequence():
    """Layers inside layers, whose weights have long names; pictures of another size."""
    x = inputs = keras.Input((6, 6, 2), name="frames")
    x = layers.Resizing(4, 4, name="resize")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear", name="enlarge")(x)
    x = layers.TimeDistributed(layers.Conv1D(4, 3, activation="hard_sigmoid", name="conv"), name="each")(x)
    x = layers.Reshape((-1, 4), name="steps")(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True, name="both"), name="ways")(x)
    return keras.Model(inputs, layers.SimpleRNN(3, name="last")(x), name="sequence")


def weights_of(layer):
    if hasattr(layer, "layers"):
        return [each for inner in layer.layers for each in weights_of(inner)]
    return [(w.path, w) for w in layer.weights if "seed" not in w.name]


def describe(model, shape):
    described = []
    for i, (name, weight) in enumerate(weights_of(model)):
        around = 1.0 if name.endswith(("gamma", "moving_variance")) else 0.0
        weight.assign(wave(weight.shape, 0.4, i + 0.3, around))
        described.append({"name": name, "shape": list(weight.shape)})
    output = np.asarray(model(wave([2, *shape], 1.0, 0.2), training=False))
    return {"topology": json.loads(model.to_json()), "weights": described, "inputShape": shape,
            "outputShape": list(output.shape), "output": numbers(output)}


print(json.dumps({
    "keras": keras.__version__,
    "models": {
        "mixed": describe(mixed(), [8, 8, 3]),
        "sequence": describe(sequence(), [6, 6, 2]),
        "nested": describe(nested(), [6]),
        "stacked": describe(stacked(), [4, 4, 3]),
    },
}))
