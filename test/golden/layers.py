# Makes layers.json: what Keras 3 computes with the layers and activations that tfjs lacks, on formula-made inputs and
# weights. Run with Keras 3.15.1 on TensorFlow: python3 layers.py > layers.json
import json
import math

import keras
import numpy as np
from keras import layers
from keras.src.applications.convnext import LayerScale
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer


def wave(shape, scale, phase, offset=0.0):
    size = int(np.prod(shape))
    values = [offset + scale * math.sin(phase + i * 1.7) for i in range(size)]
    return np.array(values, dtype="float32").reshape(shape)


def numbers(x):
    return [float(f"{v:.7g}") for v in np.asarray(x).astype("float64").ravel()]


activations = [
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "log_sigmoid", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softplus", "softsign",
    "sparse_plus", "squareplus", "swish", "tanh", "tanh_shrink", "mish",
]
points = np.array([-8, -4, -3, -2.5, -1.25, -1, -0.6, -0.5, -0.1, 0, 0.1, 0.5, 0.75, 1, 1.5, 3, 3.5, 6, 7], "float32")
functions = {name: numbers(keras.activations.get(name)(points)) for name in activations}
functions["gelu_tanh"] = numbers(keras.activations.gelu(points, approximate=True))

picture = [2, 5, 6, 4]
mean, variance = [0.1, -0.4, 0.3, 0.2], [0.5, 1.5, 0.25, 4.0]


def conv(filters, **config):
    return layers.Conv2D(filters, **config)


cases = [
    ("Normalization", "constants", layers.Normalization(mean=mean, variance=variance), picture),
    ("Normalization", "one constant", layers.Normalization(axis=None, mean=0.25, variance=2.0), picture),
    ("Normalization", "inverted", layers.Normalization(mean=mean, variance=[0.5, 0.0, 1.0, 4.0], invert=True), picture),
    ("Normalization", "weights", layers.Normalization(), picture),
    ("Normalization", "weights on two axes", layers.Normalization(axis=[1, -1]), picture),
    ("GlobalAveragePooling2DKeepDims", "", layers.GlobalAveragePooling2D(keepdims=True), picture),
    ("GlobalMaxPooling2DKeepDims", "", layers.GlobalMaxPooling2D(keepdims=True), picture),
    ("GlobalAveragePooling2DKeepDims", "channels first",
     layers.GlobalAveragePooling2D(keepdims=True, data_format="channels_first"), picture),
    ("GroupedConv2D", "two groups", conv(6, kernel_size=3, groups=2, padding="same", activation="relu"), picture),
    ("GroupedConv2D", "one channel a group", conv(4, kernel_size=3, groups=4, use_bias=False), picture),
    ("GroupedConv2D", "two filters a channel", conv(8, kernel_size=[3, 2], groups=4, strides=2), picture),
    ("GroupedConv2D", "strides", conv(4, kernel_size=3, groups=2, strides=2, padding="same"), picture),
    ("GroupedConv2D", "dilation", conv(4, kernel_size=2, groups=2, dilation_rate=2, activation="hard_silu"), picture),
    ("LayerScale", "", LayerScale(0.5, 4), picture),
    ("CustomScaleLayer", "", CustomScaleLayer(0.17), picture),
    ("HalfPixelResizing", "smaller", layers.Resizing(3, 4), picture),
    ("HalfPixelResizing", "larger", layers.Resizing(7, 6), picture),
    ("HalfPixelResizing", "nearest", layers.Resizing(3, 8, interpolation="nearest"), picture),
    ("HalfPixelResizing", "by a factor", layers.UpSampling2D((2, 3), interpolation="bilinear"), picture),
    ("Rescaling", "a list", layers.Rescaling([0.5, 2.0, 0.25, 1.0], offset=-1), picture),
    ("Rescaling", "two lists", layers.Rescaling([0.5, 2.0, 0.25, 1.0], offset=[1.0, 2.0, 3.0, 4.0]), picture),
]


def run(class_name, case, layer, shape):
    x = wave(shape, 1.5, 0.2)
    inputs = [x, wave(shape, 1.0, 0.9)] if class_name == "CustomScaleLayer" else x
    layer.build([shape, shape] if isinstance(inputs, list) else shape)
    values = [
        wave(w.shape, 0.5, i + 0.3, 1.0 if w.name in ("variance", "gamma", "variable") else 0.0) if w.name != "count" else np.array(3)
        for i, w in enumerate(layer.weights)
    ]
    layer.set_weights(values)
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
    output = np.asarray(layer(inputs))
    config = json.loads(json.dumps(layer.get_config(), default=lambda o: np.asarray(o).tolist()))
    keep = {k: v for k, v in config.items() if k not in ("name", "trainable", "dtype", "seed")}
    if "size" in keep:
        keep["factor"] = keep.pop("size")
    # Keras gives the weight of LayerScale no name.
    names = ["gamma" if w.name == "variable" else w.name for w in layer.weights]
    return {"className": class_name, "case": case, "config": keep, "shape": shape, "weights": names,
            "outputShape": list(output.shape), "output": numbers(output)}


print(json.dumps({
    "keras": keras.__version__,
    "points": numbers(points),
    "activations": functions,
    "layers": [run(*case) for case in cases],
}))
