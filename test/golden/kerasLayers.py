# Makes kerasLayers/*: small models of recurrent, attention and normalisation layers in every form in which Keras saves, and
# kerasLayers.json: their topologies, what they are given and what they compute.
# Run with Keras 3.15 on TensorFlow 2.21, in this folder: python kerasLayers.py [name of a model …]
import json
import math
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers as L

FOLDER = "kerasLayers"

def wave(shape, scale, phase, offset=0.0):
    size = int(np.prod(shape))
    return np.array([offset + scale * math.sin(phase + i * 1.7) for i in range(size)], np.float32).reshape(shape)

def fill(model):
    for number, weight in enumerate(model.weights):
        weight.assign(wave(weight.shape, 0.4, number, 1.0 if weight.name in ("gamma", "scale", "moving_variance") else 0.0))
    return model

def functional(shape, body):
    x = keras.Input(shape, name="given")
    return fill(keras.Model(x, L.Dense(2, name="last")(body(x))))

def bidirectional():
    return fill(keras.Sequential([
        L.Input((5, 4)), L.LSTM(3, return_sequences=True), L.Bidirectional(L.LSTM(2)), L.Dense(2, name="last"),
    ]))

def bidirectional_gru(x):
    x = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum", name="both")(x)
    return L.Bidirectional(L.SimpleRNN(2), name="plain")(x)

def gru(x):
    x = L.GRU(3, return_sequences=True, name="first")(x)
    x = L.GRU(3, return_sequences=True, use_bias=False, go_backwards=True, activation="sigmoid", name="second")(x)
    return L.GRU(2, reset_after=False, name="third")(x)

def group_normalization(x):
    x = L.Conv2D(4, 1, name="conv")(x)
    x = L.GroupNormalization(2, name="pairs")(x)
    x = L.GroupNormalization(-1, scale=False, epsilon=0.1, name="each")(x)
    x = L.GroupNormalization(1, center=False, name="all")(x)
    return L.GlobalAveragePooling2D(name="pool")(x)

def attention(x):
    y = L.Dense(4, name="query")(x)
    z = L.Attention(name="plain")([y, x])
    z = L.Attention(use_scale=True, name="scaled")([z, x, y])
    z = L.Attention(use_scale=True, score_mode="concat", dropout=0.2, name="additive")([z, y])
    return L.GlobalAveragePooling1D(name="pool")(z)

def multi_head_attention(x):
    y = L.Dense(6, name="query")(x)
    z = L.MultiHeadAttention(2, 3, name="own", dropout=0.1)(x, x)
    z = L.MultiHeadAttention(2, 3, value_dim=2, use_bias=False, name="cross")(z, y)
    z = L.MultiHeadAttention(1, 2, output_shape=5, name="keyed")(z, x, y)
    return L.GlobalAveragePooling1D(name="pool")(z)

def dilated(x):
    x = L.Conv2D(3, 3, dilation_rate=(2, 1), padding="same", activation="tanh", name="conv")(x)
    x = L.DepthwiseConv2D(3, dilation_rate=(2, 3), depth_multiplier=2, padding="same", name="same")(x)
    x = L.DepthwiseConv2D((2, 3), dilation_rate=2, use_bias=False, activation="tanh", name="valid")(x)
    x = L.BatchNormalization(name="norm")(x)
    x = L.DepthwiseConv2D(3, dilation_rate=2, strides=2, padding="same", name="striding")(x)
    return L.GlobalAveragePooling2D(name="pool")(x)

def cells(x):
    x = L.RNN(L.LSTMCell(3), return_sequences=True, name="one")(x)
    x = L.LSTM(3, return_sequences=True, name="masks")(x)
    x = L.TimeDistributed(L.Dense(4), name="steps")(x)
    x = L.RNN(L.SimpleRNNCell(4), return_sequences=True, name="two")(x)
    return L.RNN(L.GRUCell(3, reset_after=False), name="three")(x)

def gates(x):
    x = L.Identity(name="same")(L.Conv2D(6, 3, name="conv")(x))
    y = L.Reshape((1, 1, -1), name="squeezed")(L.GlobalAveragePooling2D(name="squeeze")(x))
    x = L.Multiply(name="gate")([x, L.Conv2D(6, 1, activation="sigmoid", name="excite")(y)])
    x = keras.ops.reshape(x, (-1, 4, 6))
    return L.SimpleRNN(3, name="read")(L.Reshape((2, -1), name="lines")(x))

def volume(x):
    x = L.Conv3D(3, 2, name="conv")(x)
    x = L.ConvLSTM2D(2, 3, name="series")(x)
    return L.GlobalAveragePooling2D(name="pool")(x)

def wider(x):
    x = L.Conv3DTranspose(2, 2, strides=2, name="wide")(x)
    x = L.Conv3D(2, 2, dilation_rate=2, name="wider")(x)
    return L.ConvLSTM2D(2, 3, name="series")(x)

def vit(x):
    x = L.Conv2D(8, 4, strides=4, name="patches")(x)
    x = L.Reshape((9, 8), name="tokens")(x)
    for block in range(2):
        y = L.LayerNormalization(epsilon=1e-6, name=f"block_{block}_norm_1")(x)
        y = L.MultiHeadAttention(2, 4, name=f"block_{block}_attention")(y, y)
        x = L.Add(name=f"block_{block}_add_1")([x, y])
        y = L.LayerNormalization(epsilon=1e-6, name=f"block_{block}_norm_2")(x)
        y = L.Dense(16, activation="gelu", name=f"block_{block}_mlp_1")(y)
        y = L.Dropout(0.1, name=f"block_{block}_drop")(y)
        y = L.Dense(8, name=f"block_{block}_mlp_2")(y)
        x = L.Add(name=f"block_{block}_add_2")([x, y])
    x = L.LayerNormalization(epsilon=1e-6, name="norm")(x)
    return L.GlobalAveragePooling1D(name="pool")(x)

def main():
    os.makedirs(FOLDER, exist_ok=True)
    text, image = (5, 4), (4, 4, 3)
    models = {
        "bidirectional": bidirectional(),
        "bidirectionalGru": functional(text, bidirectional_gru),
        "gru": functional(text, gru),
        "groupNormalization": functional(image, group_normalization),
        "attention": functional(text, attention),
        "multiHeadAttention": functional(text, multi_head_attention),
        "dilated": functional((9, 12, 3), dilated),
        "cells": functional(text, cells),
        "gates": functional(image, gates),
        "volume": functional((3, 4, 4, 2), volume),
        "wider": functional((2, 3, 3, 2), lambda x: L.Flatten()(wider(x))),
        "vit": functional((12, 12, 3), vit),
    }
    wanted = sys.argv[1:] or list(models)
    found = {}
    if os.path.exists(f"{FOLDER}.json"):
        with open(f"{FOLDER}.json") as file:
            found = json.load(file)
    for name in wanted:
        model = models[name]
        model.save(f"{FOLDER}/{name}.keras")
        if name != "vit":
            model.save(f"{FOLDER}/{name}.h5")
        x = wave((2, *model.input_shape[1:]), 1.0, 0.2)
        found[name] = {
            "topology": json.loads(model.to_json()), "shape": list(x.shape), "output": model.predict(x, verbose=0).tolist(),
        }
    with open(f"{FOLDER}.json", "w") as file:
        json.dump(found, file)
    # Layers that are refused by their names.
    refused = {
        "SeparableConv1D": ((6, 4), lambda x: L.Flatten()(L.SeparableConv1D(3, 2, name="odd")(x))),
        "GlobalAveragePooling3D": ((3, 3, 3, 2), lambda x: L.GlobalAveragePooling3D(name="odd")(x)),
        "Max": ((6, 4), lambda x: keras.ops.max(L.Dense(3)(x), axis=1)),
    }
    for name, (shape, body) in refused.items():
        if not sys.argv[1:]:
            functional(shape, body).save(f"{FOLDER}/refused{name}.keras")
    # Their topologies are enough: no weight is looked for.
    topologies = {
        "RNN(cell)": (text, lambda x: L.RNN([L.LSTMCell(3), L.LSTMCell(2)])(x)),
        "Bidirectional(RNN)": (text, lambda x: L.Bidirectional(L.RNN(L.LSTMCell(3)))(x)),
        "TimeDistributed(Sequential)": (text, lambda x: L.Flatten()(L.TimeDistributed(keras.Sequential([L.Input((4,)), L.Dense(2)]))(x))),
        "Conv1D(groups)": (text, lambda x: L.Flatten()(L.Conv1D(4, 3, groups=2)(x))),
        "Conv3D(groups)": ((3, 3, 3, 2), lambda x: L.Flatten()(L.Conv3D(4, 2, groups=2)(x))),
        "Conv2DTranspose(output_padding)": (image, lambda x: L.Flatten()(L.Conv2DTranspose(2, 3, strides=2, output_padding=1)(x))),
        "ELU(alpha)": (text, lambda x: L.Flatten()(L.ELU(0.5)(x))),
        "Maximum(operation)": (text, lambda x: L.Flatten()(keras.ops.maximum(x, 0.1))),
        "Average(operation)": (text, lambda x: keras.ops.average(x, axis=1)),
        "Dot(operation)": ((4,), lambda x: keras.ops.dot(x, np.ones((4, 3), np.float32))),
        "Split": (text, lambda x: L.Flatten()(keras.ops.split(x, 2, axis=-1)[1])),
        "is called with mask": (text, lambda x: L.GlobalAveragePooling1D()(x, mask=keras.ops.relu(L.Reshape((5,))(L.Dense(1)(x))))),
        "is called with query_mask": (text, lambda x: L.Flatten()(L.MultiHeadAttention(1, 2)(x, x, None, L.Reshape((5,))(L.Dense(1)(x))))),
        "is called with mask, too": (text, lambda x: L.LSTM(2)(x, None, L.Reshape((5,))(L.Dense(1)(x)))),
    }
    with open(f"{FOLDER}Refused.json", "w") as file:
        json.dump({name: json.loads(functional(shape, body).to_json()) for name, (shape, body) in topologies.items()}, file)

main()
