"""Makes presets.json: names, counts and outputs of keras.applications, for every preset.

Run with TensorFlow 2.21 and Keras 3.15: python presets.py [name ...]; with names only those are made anew.
Weights and pictures are a formula (`uniform`), so that the file holds results only. Layer names are stored as the SHA-256
of all names joined by line ends; a nested model counts as the layers inside it.
"""

import hashlib
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "presets.json")

SMALL = (64, 80)
# For networks whose padding depends on whether a size is even: both kinds come on the way.
ODD = (75, 90)

# name: constructor, size it was trained on, width multipliers, height and width for the outputs, pixels as they are
PRESETS = {
    "vgg16": ("VGG16", 224, [1.0], (32, 48), False),
    "vgg19": ("VGG19", 224, [1.0], (32, 48), False),
    "resnet50": ("ResNet50", 224, [1.0], SMALL, False),
    "resnet101": ("ResNet101", 224, [1.0], SMALL, False),
    "resnet152": ("ResNet152", 224, [1.0], SMALL, False),
    "resnet50v2": ("ResNet50V2", 224, [1.0], SMALL, False),
    "resnet101v2": ("ResNet101V2", 224, [1.0], SMALL, False),
    "resnet152v2": ("ResNet152V2", 224, [1.0], SMALL, False),
    "mobilenet": ("MobileNet", 224, [0.25, 0.5, 0.75, 1.0], ODD, False),
    "mobilenet_v2": ("MobileNetV2", 224, [0.35, 0.5, 0.75, 1.0, 1.3, 1.4], ODD, False),
    "mobilenet_v3_small": ("MobileNetV3Small", 224, [0.75, 1.0], ODD, True),
    "mobilenet_v3_large": ("MobileNetV3Large", 224, [0.75, 1.0], ODD, True),
    "inception_v3": ("InceptionV3", 299, [1.0], (80, 96), False),
    "inception_resnet_v2": ("InceptionResNetV2", 299, [1.0], (80, 96), False),
    "xception": ("Xception", 299, [1.0], (80, 96), False),
    "densenet121": ("DenseNet121", 224, [1.0], SMALL, False),
    "densenet169": ("DenseNet169", 224, [1.0], SMALL, False),
    "densenet201": ("DenseNet201", 224, [1.0], SMALL, False),
    "nasnet_mobile": ("NASNetMobile", 224, [1.0], ODD, False),
    "efficientnet_b0": ("EfficientNetB0", 224, [1.0], ODD, True),
    "efficientnet_b1": ("EfficientNetB1", 240, [1.0], ODD, True),
    "efficientnet_b2": ("EfficientNetB2", 260, [1.0], ODD, True),
    "efficientnet_b3": ("EfficientNetB3", 300, [1.0], ODD, True),
    "efficientnet_b4": ("EfficientNetB4", 380, [1.0], ODD, True),
    "efficientnet_b5": ("EfficientNetB5", 456, [1.0], ODD, True),
    "efficientnet_b6": ("EfficientNetB6", 528, [1.0], ODD, True),
    "efficientnet_b7": ("EfficientNetB7", 600, [1.0], ODD, True),
    "efficientnet_v2_b0": ("EfficientNetV2B0", 224, [1.0], SMALL, True),
    "efficientnet_v2_b1": ("EfficientNetV2B1", 240, [1.0], SMALL, True),
    "efficientnet_v2_b2": ("EfficientNetV2B2", 260, [1.0], SMALL, True),
    "efficientnet_v2_b3": ("EfficientNetV2B3", 300, [1.0], SMALL, True),
    "efficientnet_v2_s": ("EfficientNetV2S", 384, [1.0], SMALL, True),
    "efficientnet_v2_m": ("EfficientNetV2M", 480, [1.0], SMALL, True),
    "convnext_tiny": ("ConvNeXtTiny", 224, [1.0], SMALL, True),
    "convnext_small": ("ConvNeXtSmall", 224, [1.0], SMALL, True),
    "convnext_base": ("ConvNeXtBase", 224, [1.0], SMALL, True),
}

# The networks as the published weights need them, without the weights.
fetched = {}


def get_file(fname, origin, file_hash=None, **options):
    fetched.update(address=origin, hash=file_hash)
    return ""


file_utils.get_file = get_file
keras.Model.load_weights = lambda *arguments, **options: None
imagenet_utils.obtain_input_shape = lambda input_shape, **options: input_shape


def build(constructor, size, alpha, top):
    keras.backend.clear_session()
    options = {"alpha": alpha} if constructor.startswith("MobileNet") else {}
    make = getattr(keras.applications, constructor)
    return make(weights="imagenet", include_top=top, input_shape=(*size, 3), **options)


def leaves(model):
    """Operations in order, nested models replaced by what is inside them."""
    for operation in model.operations:
        if isinstance(operation, keras.Model):
            inner = operation.layers if isinstance(operation, keras.Sequential) else leaves(operation)
            yield from (layer for layer in inner if not isinstance(layer, keras.layers.InputLayer))
        else:
            yield operation


def describe(model):
    names = [operation.name for operation in leaves(model)]
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    return {"parameters": int(model.count_params()), "layers": len(names), "names": digest, "weights": dict(fetched)}


def uniform(count, layer, weight):
    """Numbers from -1 to 1 for a weight, by its place among the layers with weights and in its layer."""
    x = np.arange(count, dtype=np.uint32) + np.uint32((layer * 7919 + weight * 104729 + 1) * 2654435761 % 2**32)
    for shift in (16, 15):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def value_of(layer, weight, places, gain):
    name = weight.name
    shape = tuple(weight.shape)
    drawn = uniform(int(np.prod(shape)), *places)
    if name.endswith("kernel"):
        depthwise = name == "depthwise_kernel" or isinstance(layer, keras.layers.DepthwiseConv2D)
        drawn = drawn * (gain * np.sqrt(6 / np.prod(shape[:2] if depthwise else shape[:-1])))
    elif name == "gamma" or type(layer).__name__ == "LayerScale":
        drawn = 1 + 0.1 * drawn
    elif name in ("moving_variance", "variance"):
        drawn = 1 + 0.3 * drawn
    elif name in ("beta", "bias", "moving_mean", "mean"):
        drawn = 0.1 * drawn
    else:
        assert name == "count", name
        drawn = 0 * drawn
    return drawn.astype(np.float32).reshape(shape)


def assign(model, gain):
    weighted = [operation for operation in leaves(model) if getattr(operation, "weights", [])]
    for i, layer in enumerate(weighted):
        for j, weight in enumerate(layer.weights):
            weight.assign(value_of(layer, weight, (i, j), gain))
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def summarise(array):
    flat = np.asarray(array, dtype=np.float64).ravel()
    samples = [flat[i * (flat.size - 1) // 15] for i in range(16)]
    return {
        "shape": list(array.shape[1:]),
        "samples": [float(f"{each:.8g}") for each in samples],
        "mean": float(f"{flat.mean():.8g}"),
        "std": float(f"{flat.std():.8g}"),
    }


def outputs(constructor, size, alpha, raw):
    """Values inside and at the end. Kernels get the largest gain that keeps what the classifier reads near 1."""
    model = build(constructor, size, alpha, True)
    body = build(constructor, size, alpha, False)
    own = [layer for layer in body.layers if not isinstance(layer, (keras.Model, keras.layers.InputLayer))]
    inner = own[len(own) // 2]
    probe = keras.Model(body.input, [inner.output, body.output])
    picture = uniform(size[0] * size[1] * 3, 1000, 0).astype(np.float32).reshape(1, *size, 3)
    if raw:
        picture = (picture + np.float32(1)) * np.float32(127.5)
    for gain in (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        assign(body, gain)
        inside, last = (np.asarray(each) for each in probe(picture, training=False))
        if np.sqrt(np.mean(last.astype(np.float64) ** 2)) < 2:
            break
    assign(model, gain)
    end = np.asarray(model(picture, training=False))
    found = {"inputSize": list(size), "gain": gain, "inner": {"layer": inner.name, **summarise(inside)}}
    return {**found, "features": summarise(last), "end": summarise(end)}


def make(name):
    constructor, size, alphas, small, raw = PRESETS[name]
    members = []
    for alpha in alphas:
        whole = describe(build(constructor, (size, size), alpha, True))
        body = describe(build(constructor, (size, size), alpha, False))
        members.append({"alpha": alpha, "top": whole, "noTop": body, **outputs(constructor, small, alpha, raw)})
        print(name, alpha, whole["parameters"], members[-1]["gain"], members[-1]["features"]["std"], flush=True)
    return members


if __name__ == "__main__":
    made = json.load(open(FILE)) if os.path.exists(FILE) else {}
    for name in sys.argv[1:] or PRESETS:
        made[name] = make(name)
        with open(FILE, "w") as file:
            json.dump({key: made[key] for key in PRESETS if key in made}, file, indent=1)
            file.write("\n")
