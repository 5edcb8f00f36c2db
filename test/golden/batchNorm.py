# Makes batchNorm.json: steps of SGD in Keras 3 through BatchNorm in training mode, on formula-made inputs and targets.
# Run with Keras 3.15.1 on TensorFlow: python3 batchNorm.py > batchNorm.json
import json
import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def wave(shape, scale, phase, offset=0.0):
    size = int(np.prod(shape))
    values = [offset + scale * math.sin(phase + i * 1.7) for i in range(size)]
    return np.array(values, dtype="float32").reshape(shape)


def numbers(x):
    return [float(f"{v:.8g}") for v in np.asarray(x).astype("float64").ravel()]


def name(variable):
    """Without the model's."""
    return "/".join(variable.path.split("/")[-2:])


def values(variables):
    return {name(variable): numbers(variable) for variable in variables}


def fill(model):
    for place, variable in enumerate(model.variables):
        around_one = variable.name in ("gamma", "moving_variance")
        variable.assign(wave(variable.shape, 0.3 if around_one else 0.6, place, 1.0 if around_one else 0.0))


def train(model, batch, frozen, steps):
    """Weights at the start, and what each step of SGD finds and makes."""
    for layer in frozen:
        model.get_layer(layer).trainable = False
    start = values(model.variables)
    found = []
    for step in range(steps):
        x = wave([batch, *model.input_shape[1:]], 1.0, step)
        with tf.GradientTape() as tape:
            y = model(x, training=True)
            loss = tf.reduce_mean(tf.square(y - wave(y.shape, 1.0, step + 5)))
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        named = {name(variable): numbers(gradient) for variable, gradient in zip(model.trainable_variables, gradients)}
        for variable, gradient in zip(model.trainable_variables, gradients):
            variable.assign_sub(0.2 * gradient)
        found.append({"output": numbers(y), "loss": float(loss), "gradients": named})
    return {"batch": batch, "frozen": frozen, "start": start, "steps": found, "after": values(model.variables)}


def maps():
    model = keras.Sequential([
        layers.Input([6, 5, 2]),
        layers.Conv2D(3, 3, padding="same", use_bias=False, name="conv1"),
        layers.BatchNormalization(momentum=0.9, name="bn1"),
        layers.ReLU(name="relu1"),
        layers.Conv2D(2, 1, name="conv2"),
        layers.BatchNormalization(scale=False, epsilon=0.01, name="bn2"),
    ])
    fill(model)
    return model


def vectors():
    model = keras.Sequential([
        layers.Input([5]),
        layers.Dense(4, use_bias=False, name="dense1"),
        layers.BatchNormalization(center=False, momentum=0.8, name="bn1"),
        layers.ReLU(name="relu1"),
        layers.Dense(3, name="dense2"),
        layers.BatchNormalization(name="bn2"),
        layers.Dense(2, name="dense3"),
    ])
    fill(model)
    return model


def twice():
    """A BatchNorm over another axis, then one that is called twice."""
    x = inputs = layers.Input([4, 4, 3])
    x = layers.BatchNormalization(axis=1, name="rows")(x)
    shared = layers.BatchNormalization(momentum=0.7, name="shared")
    x = layers.Add(name="sum")([shared(x), shared(layers.Activation("tanh", name="tanh")(x))])
    model = keras.Model(inputs, x)
    fill(model)
    return model


def classifier():
    model = keras.Sequential([
        layers.Input([8, 8, 2]),
        layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv1"),
        layers.BatchNormalization(momentum=0.9, name="bn1"),
        layers.ReLU(max_value=6, name="relu1"),
        layers.Conv2D(5, 3, strides=2, name="conv2"),
        layers.BatchNormalization(momentum=0.8, name="bn2"),
        layers.ReLU(name="relu2"),
        layers.GlobalAveragePooling2D(name="pool"),
        layers.Dense(3, name="head_logits"),
    ])
    fill(model)
    return model


def epochs(model, batch, frozen, steps):
    """Cross-entropy on the same batch in every step."""
    for layer in frozen:
        model.get_layer(layer).trainable = False
    start = values(model.variables)
    x = wave([batch, 8, 8, 2], 1.0, 0.0)
    labels = np.arange(batch) % 3
    found = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        for variable, gradient in zip(model.trainable_variables, gradients):
            variable.assign_sub(0.2 * gradient)
        found.append(float(loss))
    return {"batch": batch, "frozen": frozen, "start": start, "losses": found, "after": values(model.variables)}


cases = {
    "maps": train(maps(), 4, [], 3),
    "maps with a frozen BatchNorm": train(maps(), 4, ["bn1"], 3),
    "vectors": train(vectors(), 6, [], 3),
    "one vector": train(vectors(), 1, [], 1),
    "another axis, and a layer that is called twice": train(twice(), 3, [], 2),
    "fineTune": epochs(classifier(), 6, [], 4),
    "fineTune with a frozen BatchNorm": epochs(classifier(), 6, ["bn1"], 4),
}
lines = [f"{json.dumps(case)}: {json.dumps(found, separators=(',', ':'))}" for case, found in cases.items()]
print("{\n" + ",\n".join(lines) + "\n}")
