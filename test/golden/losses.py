# Makes losses.json: Keras's losses on logits, and their gradients, on formula-made values.
# Run with Keras 3.15 on TensorFlow 2.21: python losses.py > losses.json
import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf

def wave(rows, columns, scale, phase):
    return [[scale * math.sin(phase + (r * columns + c) * 1.7) for c in range(columns)] for r in range(rows)]

logits = tf.constant(wave(4, 5, 6.0, 0.2))
one_hot = tf.one_hot([0, 3, 4, 1], 5)
bits = tf.constant([[1, 0, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]], tf.float32)
numbers = tf.constant(wave(4, 5, 2.0, 1.1))

def case(loss, targets):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(targets, logits)
    return {"loss": float(value), "gradient": tape.gradient(value, logits).numpy().tolist()}

print(json.dumps({
    "classes": case(keras.losses.CategoricalCrossentropy(from_logits=True), one_hot),
    "multiLabel": case(keras.losses.BinaryCrossentropy(from_logits=True), bits),
    "regression": case(keras.losses.MeanSquaredError(), numbers),
}, indent=1))
