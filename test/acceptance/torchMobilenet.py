# Keras's MobileNetV2 without its top in PyTorch, of the weights of a tfjs layers model: for fastai.py and sklearnProbe.py.
import json
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

BLOCKS = 17
HALVING = {1, 3, 6, 13}  # keras/src/applications/mobilenet_v2.py: blocks of stride 2
WIDTHS = {112: 0.35, 160: 0.5, 240: 0.75, 320: 1.0, 416: 1.3, 448: 1.4}  # the same: alpha by channels of the last block


def read_weights(folder):
    """The tensors of a tfjs layers model by their names, as float32."""
    tensors = {}
    for group in json.load(open(os.path.join(folder, "model.json")))["weightsManifest"]:
        data = b"".join(open(os.path.join(folder, path), "rb").read() for path in group["paths"])
        at = 0
        for entry in group["weights"]:
            if entry["dtype"] != "float32" or "quantization" in entry:
                raise ValueError(f"{entry['name']}: only plain float32 weights are read")
            count = int(np.prod(entry["shape"]))
            tensors[entry["name"]] = np.frombuffer(data, np.float32, count, at).reshape(entry["shape"])
            at += 4 * count
    return tensors


class Convolution(nn.Conv2d):
    """A convolution without bias. With stride 2 it pads as Keras does: (0, 1) for even sides, (1, 1) for odd ones."""

    def __init__(self, kernel, stride, depthwise=False):
        kernel = np.transpose(kernel, (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)).copy()
        outputs, inputs, side, _ = kernel.shape
        groups = outputs if depthwise else 1
        super().__init__(inputs * groups, outputs, side, stride, side // 2 if stride == 1 else 0, groups=groups, bias=False)
        self.weight.data = torch.from_numpy(kernel)

    def forward(self, x):
        if self.stride[0] == 2:
            x = F.pad(x, (x.shape[3] % 2, 1, x.shape[2] % 2, 1))
        return super().forward(x)


def normalisation(tensors, name):
    """Epsilon is Keras's. Momentum is PyTorch's default, which torchvision's mobilenet_v2 has and fastai leaves as it is."""
    norm = nn.BatchNorm2d(len(tensors[f"{name}/gamma"]), eps=1e-3, momentum=0.1)
    parts = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    for own, theirs in parts.items():
        getattr(norm, own).data = torch.from_numpy(tensors[f"{name}/{theirs}"].copy())
    return norm


class Block(nn.Module):
    def __init__(self, tensors, index):
        super().__init__()
        name = f"block_{index}" if index > 0 else "expanded_conv"
        stride = 2 if index in HALVING else 1
        layers = []
        if index > 0:
            layers += [Convolution(tensors[f"{name}_expand/kernel"], 1), normalisation(tensors, f"{name}_expand_BN"), nn.ReLU6()]
        layers += [
            Convolution(tensors[f"{name}_depthwise/depthwise_kernel"], stride, depthwise=True),
            normalisation(tensors, f"{name}_depthwise_BN"),
            nn.ReLU6(),
            Convolution(tensors[f"{name}_project/kernel"], 1),
            normalisation(tensors, f"{name}_project_BN"),
        ]
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and layers[0].in_channels == layers[-2].out_channels

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def mobilenet(folder):
    """The network up to its last ReLU6, for pictures in [-1, 1]."""
    tensors = read_weights(folder)
    return nn.Sequential(
        Convolution(tensors["Conv1/kernel"], 2), normalisation(tensors, "bn_Conv1"), nn.ReLU6(),
        *(Block(tensors, index) for index in range(BLOCKS)),
        Convolution(tensors["Conv_1/kernel"], 1), normalisation(tensors, "Conv_1_bn"), nn.ReLU6(),
    )


def difference_from_keras(folder, size):
    """The largest difference between pooled features of a random picture here and in Keras, with the same weights."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    tensors = read_weights(folder)
    alpha = WIDTHS[tensors["block_16_project/kernel"].shape[3]]
    theirs = keras.applications.MobileNetV2(
        weights=None, include_top=False, pooling="avg", alpha=alpha, input_shape=(size, size, 3))
    for layer in theirs.layers:
        own = {name.split("/")[1].removeprefix("depthwise_"): tensor for name, tensor in tensors.items()
               if name.split("/")[0] == layer.name}
        layer.set_weights([own[weight.name] for weight in layer.weights])
    picture = np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype("float32")
    with torch.no_grad():
        own = mobilenet(folder).eval()(torch.from_numpy(picture).permute(0, 3, 1, 2)).mean((2, 3)).numpy()
    return float(abs(own - theirs.predict(picture, verbose=0)).max())
