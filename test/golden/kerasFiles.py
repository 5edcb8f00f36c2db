# Makes keras/*: small files in every form in which Keras saves, and keras.json: what their models compute.
# Run with Keras 3.15 on TensorFlow 2.21, in this folder: python kerasFiles.py
import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

FOLDER = "keras"

def wave(shape, scale, phase, offset=0.0):
    size = int(np.prod(shape))
    return np.array([offset + scale * math.sin(phase + i * 1.7) for i in range(size)], np.float32).reshape(shape)

def fill(model):
    for number, weight in enumerate(model.weights):
        around_one = weight.name in ("gamma", "moving_variance")
        weight.assign(wave(weight.shape, 0.3, number, 1.0 if around_one else 0.0))
    return model

def block(prefix, trainable=True):
    return keras.Sequential([
        layers.Input((6, 6, 4)),
        layers.Conv2D(3, 3, padding="same", use_bias=False, name="conv"),
        layers.BatchNormalization(name="bn"),
        layers.DepthwiseConv2D(3, padding="same", name="dw"),
        layers.BatchNormalization(scale=False, name="dw_bn"),
    ], name=prefix, trainable=trainable)

def functional(trainable=True):
    x = given = keras.Input((6, 6, 4), name="pictures")
    x = block("backbone", trainable)(x)
    x = layers.SeparableConv2D(4, 3, name="sep")(x)
    x = layers.ReLU(name="relu")(x)
    y = layers.Conv2D(4, 1, name="side")(x)
    x = layers.Add(name="add")([x, y])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.5, name="drop", seed=1)(x)
    x = layers.Dense(3, activation="softmax", name="predictions")(x)
    return fill(keras.Model(given, x, name="net"))

def sequential():
    return fill(keras.Sequential([
        layers.Input((6, 6, 4)), layers.Conv2D(3, 3, strides=2, activation="relu"), layers.Conv2D(2, 1),
        layers.Flatten(), layers.Dense(2),
    ], name="line"))

def path(name):
    return os.path.join(FOLDER, name)

def output(model):
    return model.predict(wave((2, 6, 6, 4), 1.0, 0.2), verbose=0).tolist()

def trained(model):
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model

def weights_only(name, model):
    with h5py.File(path(name), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)

# As Keras 1 and 2 wrote it: fixed-length names; a list that is too long for one attribute is split.
def by_hand(name, groups, split=None):
    with h5py.File(path(name), "w") as file:
        names = np.array([group.encode() for group, _ in groups])
        if split:
            for i in range(0, len(names), split):
                file.attrs[f"layer_names{i // split}"] = names[i:i + split]
        else:
            file.attrs["layer_names"] = names
        for group, weights in groups:
            place = file.require_group(group)
            place.attrs["weight_names"] = np.array([each.encode() for each, _ in weights]) if weights else np.array([])
            for each, value in weights:
                place.create_dataset(each, data=value)

def main():
    os.makedirs(FOLDER, exist_ok=True)
    model, line = trained(functional()), sequential()
    model.save(path("functional.h5"))
    model.save(path("functional.keras"))
    model.save_weights(path("functional.weights.h5"))
    weights_only("functional_weights.h5", model)
    frozen = functional(trainable=False)
    frozen.save(path("frozen.h5"))
    weights_only("frozen_weights.h5", frozen)
    line.save(path("sequential.h5"))
    line.save(path("sequential.keras"))
    line.save_weights(path("sequential.weights.h5"))
    # As the first .keras files were: another name for the list of layers, and no names of layers.
    with h5py.File(path("sequential.weights.h5")) as new, h5py.File(path("unnamed.weights.h5"), "w") as old:
        for name in new["layers"]:
            for number, value in new[f"layers/{name}/vars"].items():
                old.create_dataset(f"_layer_checkpoint_dependencies/{name}/vars/{number}", data=value[()])
    # Keras 1 names on the same Sequential.
    conv, conv_1, dense = [[w.numpy() for w in layer.weights] for layer in line.layers if layer.weights]
    first, second, last = [layer.name for layer in line.layers if layer.weights]
    by_hand("keras1.h5", [
        (first, [(f"{first}_W_1:0", conv[0]), (f"{first}_b_1:0", conv[1])]),
        (second, [(f"{second}_W:0", conv_1[0]), (f"{second}_b:0", conv_1[1])]),
        ("flatten", []), (last, [(f"{last}_W:0", dense[0]), (f"{last}_b:0", dense[1])]),
    ], split=2)
    # Other layer names: only the order tells.
    by_hand("renamed.h5", [
        ("a", [("a/kernel:0", conv[0]), ("a/bias:0", conv[1])]), ("b", [("b/kernel:0", conv_1[0]), ("b/bias:0", conv_1[1])]),
        ("nothing", []), ("c", [("c/kernel:0", dense[0]), ("c/bias:0", dense[1])]),
    ])
    with h5py.File(path("optimizer.h5"), "w") as file:
        file.create_group("optimizer_weights").create_dataset("m", data=np.zeros(3))
    with h5py.File(path("other.h5"), "w") as file:
        file.create_dataset("table", data=np.zeros(3))
    with h5py.File(path("absurd.h5"), "w") as file:
        file.attrs["layer_names"] = np.array([b"dense"])
        group = file.create_group("dense")
        group.attrs["weight_names"] = np.array([b"kernel:0"])
        group.create_dataset("kernel:0", shape=(1_000_000, 1_000_000), dtype="f4")
    with h5py.File(path("text.h5"), "w") as file:
        file.attrs["layer_names"] = np.array([b"dense"])
        group = file.create_group("dense")
        group.attrs["weight_names"] = np.array([b"kernel:0"])
        group.create_dataset("kernel:0", data=np.array([b"no", b"numbers"]))
    with open(path("keras.json"), "w") as file:
        json.dump({
            "functional": output(model), "frozen": output(frozen), "sequential": output(line),
            "sequentialTopology": json.loads(line.to_json()), "names": [first, second, last],
        }, file)

main()
