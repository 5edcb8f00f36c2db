# Makes keras1/*.h5: whole models as Keras 1.2 wrote them (configurations and names of weights by its get_config and save_weights),
# and keras1.json: what the same networks with the same weights compute in Keras 3.
# Run with Keras 3.15 on TensorFlow 2.21, in this folder: python keras1.py
import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
from keras import layers as L

FOLDER = "keras1"

def wave(shape, scale, phase, offset=0.0):
    size = int(np.prod(shape))
    return np.array([offset + scale * math.sin(phase + i * 1.7) for i in range(size)], np.float32).reshape(shape)

def fill(model):
    for number, weight in enumerate(model.weights):
        is_scale = weight.name in ("gamma", "moving_variance")
        weight.assign(wave(weight.shape, 0.3, number, 1.0 if is_scale else 0.0))
    return model

# What every trained layer of Keras 1 says, and has no part in what it computes.
TRAINED = {
    "init": "glorot_uniform", "W_regularizer": {"l1": 0.0, "l2": 0.0005, "name": "WeightRegularizer"},
    "b_regularizer": None, "activity_regularizer": None, "W_constraint": None, "b_constraint": None, "trainable": True,
}

def layer(class_name, name, **config):
    return {"class_name": class_name, "config": {"name": name, **config}}

def conv(class_name, name, filters, rows, columns, border="valid", subsample=(1, 1), activation="linear", bias=True, **more):
    return layer(
        class_name, name, **TRAINED, nb_filter=filters, nb_row=rows, nb_col=columns, border_mode=border,
        subsample=list(subsample), activation=activation, bias=bias, dim_ordering="tf", **more,
    )

def conv1d(class_name, name, filters, length, border="valid", stride=1, activation="linear", bias=True, **more):
    return layer(
        class_name, name, **TRAINED, nb_filter=filters, filter_length=length, border_mode=border, subsample_length=stride,
        activation=activation, bias=bias, input_dim=None, input_length=None, **more,
    )

def dense(name, units, activation="linear", bias=True, **more):
    return layer("Dense", name, **TRAINED, output_dim=units, activation=activation, bias=bias, input_dim=None, **more)

def norm(name, axis=-1):
    return layer(
        "BatchNormalization", name, epsilon=0.01, mode=0, axis=axis, momentum=0.9, gamma_regularizer=None,
        beta_regularizer=None, trainable=True,
    )

def pool2d(class_name, name, size, strides, border="valid"):
    return layer(class_name, name, pool_size=size, strides=strides, border_mode=border, dim_ordering="tf", trainable=True)

def pool1d(class_name, name, length, stride, border="valid"):
    return layer(class_name, name, pool_length=length, stride=stride, border_mode=border, trainable=True)

def pictures():
    old = [
        layer("ZeroPadding2D", "pad", padding=[1, 2], dim_ordering="tf", batch_input_shape=[None, 12, 11, 3], input_dtype="float32"),
        conv("Convolution2D", "conv", 4, 3, 2, subsample=(2, 1), activation="relu"),
        norm("norm", 3),
        layer("Activation", "act", activation="tanh"),
        layer("ZeroPadding2D", "four", padding=[1, 0, 2, 1], dim_ordering="tf"),
        conv("AtrousConvolution2D", "atrous", 3, 2, 2, bias=False, atrous_rate=[2, 2]),
        layer("Dropout", "drop", p=0.5),
        layer("SpatialDropout2D", "spatial", p=0.5, dim_ordering="tf"),
        layer("GaussianNoise", "noise", sigma=0.5),
        conv("SeparableConvolution2D", "separable", 5, 3, 3, border="same", activation="relu", depth_multiplier=2),
        pool2d("MaxPooling2D", "max", [2, 2], [2, 2]),
        layer("UpSampling2D", "up", size=[2, 1], dim_ordering="tf"),
        conv("Deconvolution2D", "deconv", 2, 3, 3, subsample=(2, 2), output_shape=[None, 9, 15, 2]),
        layer("Cropping2D", "crop", cropping=[[1, 0], [0, 1]], dim_ordering="tf"),
        pool2d("AveragePooling2D", "average", [3, 2], [2, 2], "same"),
        layer("LeakyReLU", "leaky", alpha=0.2),
        layer("Flatten", "flat"),
        dense("last", 3, "softmax"),
    ]
    new = keras.Sequential([
        L.Input((12, 11, 3)), L.ZeroPadding2D((1, 2)), L.Conv2D(4, (3, 2), (2, 1), activation="relu", name="conv"),
        L.BatchNormalization(epsilon=0.01, name="norm"), L.Activation("tanh"), L.ZeroPadding2D(((1, 0), (2, 1))),
        L.Conv2D(3, 2, dilation_rate=2, use_bias=False, name="atrous"),
        L.SeparableConv2D(5, 3, padding="same", depth_multiplier=2, activation="relu", name="separable"),
        L.MaxPooling2D(), L.UpSampling2D((2, 1)), L.Conv2DTranspose(2, 3, 2, name="deconv"), L.Cropping2D(((1, 0), (0, 1))),
        L.AveragePooling2D((3, 2), 2, "same"), L.LeakyReLU(negative_slope=0.2), L.Flatten(), L.Dense(3, "softmax", name="last"),
    ])
    return new, {"class_name": "Sequential", "config": old}

def series():
    old = [
        conv1d("Convolution1D", "conv", 4, 3, "same", batch_input_shape=[None, 16, 3], activation="relu"),
        conv1d("AtrousConvolution1D", "atrous", 3, 2, bias=False, atrous_rate=2),
        layer("TimeDistributed", "each", layer=dense("inner", 5, "tanh"), trainable=True),
        pool1d("MaxPooling1D", "max", 2, 2),
        conv1d("Convolution1D", "stride", 4, 2, stride=2),
        layer("PReLU", "steps", init="zero", trainable=True),
        pool1d("AveragePooling1D", "average", 2, 1, "same"),
        layer("GlobalMaxPooling1D", "global"),
        dense("last", 2, bias=False),
    ]
    new = keras.Sequential([
        L.Input((16, 3)), L.Conv1D(4, 3, padding="same", activation="relu", name="conv"),
        L.Conv1D(3, 2, dilation_rate=2, use_bias=False, name="atrous"),
        L.TimeDistributed(L.Dense(5, "tanh", name="inner"), name="each"), L.MaxPooling1D(2), L.Conv1D(4, 2, 2, name="stride"),
        L.PReLU(name="steps"), L.AveragePooling1D(2, 1, "same"), L.GlobalMaxPooling1D(), L.Dense(2, use_bias=False, name="last"),
    ])
    return new, {"class_name": "Sequential", "config": old}

def merged():
    def node(description, *inputs):
        return {**description, "name": description["config"]["name"], "inbound_nodes": [[[name, 0, 0] for name in inputs]] if inputs else []}

    def merge(name, mode, *inputs, axis=-1):
        return node(layer(
            "Merge", name, mode=mode, mode_type="raw", concat_axis=axis, dot_axes=-1, output_shape=None, output_shape_type="raw",
            output_mask=None, output_mask_type="raw", arguments={},
        ), *inputs)

    inner = {"class_name": "Sequential", "config": [conv("Convolution2D", "inside", 4, 1, 1, batch_input_shape=[None, 8, 8, 4]), norm("calm")]}
    old = [
        node(layer("InputLayer", "given", batch_input_shape=[None, 8, 8, 3], input_dtype="float32", sparse=False)),
        node(conv("Convolution2D", "a", 4, 3, 3, "same", activation="relu"), "given"),
        node(conv("Convolution2D", "b", 4, 1, 1, "same"), "given"),
        merge("sum", "sum", "a", "b"),
        {**inner, "name": "nested", "inbound_nodes": [[["sum", 0, 0]]]},
        merge("mul", "mul", "nested", "b"),
        merge("ave", "ave", "mul", "a", "b"),
        merge("max", "max", "ave", "sum"),
        merge("concat", "concat", "max", "given", axis=3),
        node(layer("GlobalAveragePooling2D", "pool", dim_ordering="tf"), "concat"),
        node(dense("last", 2), "pool"),
    ]
    given = L.Input((8, 8, 3), name="given")
    a = L.Conv2D(4, 3, padding="same", activation="relu", name="a")(given)
    b = L.Conv2D(4, 1, name="b")(given)
    total = L.Add()([a, b])
    nested = L.BatchNormalization(epsilon=0.01, name="calm")(L.Conv2D(4, 1, name="inside")(total))
    x = L.Average()([L.Multiply()([nested, b]), a, b])
    x = L.Concatenate()([L.Maximum()([x, total]), given])
    new = keras.Model(given, L.Dense(2, name="last")(L.GlobalAveragePooling2D()(x)))
    config = {"name": "model_1", "layers": old, "input_layers": [["given", 0, 0]], "output_layers": [["last", 0, 0]]}
    return new, {"class_name": "Model", "config": config}

NAMES = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std", "alpha": "alphas"}

def old_weight(owner, weight):
    value = weight.numpy()
    if isinstance(owner, L.Conv1D) and weight.name == "kernel":
        value = value[:, np.newaxis]
    if isinstance(owner, L.Conv2DTranspose) and weight.name == "kernel":
        value = value.transpose(0, 1, 3, 2)
    return NAMES.get(weight.name, weight.name), value

def write(path, new, config):
    layers = config["config"] if config["class_name"] == "Sequential" else config["config"]["layers"]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(config).encode()
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [(each.get("name") or each["config"]["name"]).encode() for each in layers]
        for each in layers:
            name = each.get("name") or each["config"]["name"]
            group = root.create_group(name)
            parts = each["config"] if each["class_name"] == "Sequential" else [each]
            weights = {}
            for part in parts:
                own = part["config"]["name"]
                # A wrapped layer brings its own name.
                inner = part["config"].get("layer", part)["config"]["name"]
                found = [one for one in new.layers if one.name == own]
                for owner in found:
                    for weight in owner.weights:
                        key, value = old_weight(owner, weight)
                        weights[f"{inner}_{key}"] = value
            group.attrs["weight_names"] = [key.encode() for key in weights]
            for key, value in weights.items():
                group.create_dataset(key, data=value)

os.makedirs(FOLDER, exist_ok=True)
golden = {}
for make in (pictures, series, merged):
    new, config = make()
    fill(new)
    write(f"{FOLDER}/{make.__name__}.h5", new, config)
    shape = [2, *new.input_shape[1:]]
    x = wave(shape, 1.0, 0.2)
    golden[make.__name__] = {"shape": shape, "output": np.asarray(new(x, training=False), np.float64).tolist()}
    print(make.__name__, new.output_shape, [(l.name, l.output.shape) for l in new.layers][-8:])
with open("keras1.json", "w") as file:
    json.dump(golden, file)
