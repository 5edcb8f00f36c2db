# Makes ema.json: weights and their averages after each of 5 steps of Keras's SGD with use_ema.
# Run with Keras 3: python ema.py > ema.json
import json
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

weight = keras.Variable(np.array([1.0, -2.0, 0.5], dtype=np.float32))
optimizer = keras.optimizers.SGD(learning_rate=0.1, use_ema=True, ema_momentum=0.75)
optimizer.build([weight])
steps = []
for step in range(5):
    gradient = np.sin(0.7 * step + np.arange(3)).astype(np.float32)
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    average = optimizer._model_variables_moving_average[0]
    steps.append({"weight": keras.ops.convert_to_numpy(weight).tolist(), "average": keras.ops.convert_to_numpy(average).tolist()})
print(json.dumps(steps, indent=1))
