# Makes optimizersKeras.json: 20 steps of Keras's optimizers from the weights and gradients of optimizers.py.
# Run with Keras 3.15: python3 optimizersKeras.py > optimizersKeras.json
import json
import math

import keras
import numpy as np


def wave(n, scale, phase):
    return [scale * math.sin(phase + i * 1.7) for i in range(n)]


def run(optimizer):
    weight = keras.Variable(np.array(wave(6, 1.0, 0.1), dtype=np.float32))
    for step in range(20):
        gradient = np.array(wave(6, 0.5, 0.3 * step), dtype=np.float32) + np.float32(0.2) * keras.ops.convert_to_numpy(weight)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return keras.ops.convert_to_numpy(weight).tolist()


print(json.dumps({
    "lion": run(keras.optimizers.Lion(0.01)),
    "lionBetas": run(keras.optimizers.Lion(0.05, beta_1=0.8, beta_2=0.95)),
    "lionDecay": run(keras.optimizers.Lion(0.05, weight_decay=0.3)),
}, indent=1))
