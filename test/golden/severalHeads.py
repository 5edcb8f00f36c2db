# Makes severalHeads.json: three heads on one input, trained by Keras with compile(loss={…}, loss_weights={…}): losses of each
# epoch and the weights at the end. Run: severalHeads.py > severalHeads.json. Made with Keras 3.15 on TensorFlow 2.21.
import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np


def wave(shape, scale, phase):
    size = int(np.prod(shape))
    return np.array([scale * math.sin(phase + i * 1.7) for i in range(size)], np.float32).reshape(shape)


ROWS, FEATURES = 12, 4
UNITS = {"kind": 3, "age": 1, "tags": 2}
WEIGHTS = {"kind": 0.5, "age": 2.0, "tags": 1.0}
x = wave((ROWS, FEATURES), 1.0, 0.3)
targets = {
    "kind": np.eye(3, dtype=np.float32)[[i % 3 for i in range(ROWS)]],
    "age": np.array([[i / 4 - 1] for i in range(ROWS)], np.float32),
    "tags": np.array([[i % 2, i % 4 == 0] for i in range(ROWS)], np.float32),
}

inputs = keras.Input((FEATURES,))
shared = keras.layers.Dense(5, activation="relu", name="shared")(inputs)
outputs = {name: keras.layers.Dense(units, name=name)(shared) for name, units in UNITS.items()}
model = keras.Model(inputs, outputs)
for phase, layer in enumerate(["shared", *UNITS]):
    kernel, bias = model.get_layer(layer).get_weights()
    model.get_layer(layer).set_weights([wave(kernel.shape, 0.6, phase), wave(bias.shape, 0.1, phase)])
model.compile(
    optimizer=keras.optimizers.SGD(0.05),
    loss={
        "kind": keras.losses.CategoricalCrossentropy(from_logits=True),
        "age": keras.losses.MeanSquaredError(),
        "tags": keras.losses.BinaryCrossentropy(from_logits=True),
    },
    loss_weights=WEIGHTS,
)
history = model.fit(x, targets, epochs=6, batch_size=ROWS, shuffle=False, verbose=0).history
final = {
    f"{layer}/{name}": values.flatten().tolist()
    for layer in ["shared", *UNITS]
    for name, values in zip(["kernel", "bias"], model.get_layer(layer).get_weights())
}
print(json.dumps({"loss": history["loss"], "heads": {name: history[f"{name}_loss"] for name in UNITS}, "weights": final}))
