# Opens a model that exportModel wrote for Keras, runs it, trains it for one epoch, and saves it.
# export.py <folder>: reads model.keras, inputs.bin (float32) and facts.json; writes before.bin, after.bin, trained.keras and
# result.json. Run by export.js.
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import numpy as np

folder = sys.argv[1]
path = lambda name: os.path.join(folder, name)
facts = json.load(open(path("facts.json")))
inputs = np.fromfile(path("inputs.bin"), "float32").reshape(facts["shape"])
targets = np.array(facts["targets"])
model = keras.models.load_model(path("model.keras"))
model.predict(inputs, verbose=0).astype("float32").tofile(path("before.bin"))
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(inputs, targets, batch_size=8, epochs=1, verbose=0).history
model.predict(inputs, verbose=0).astype("float32").tofile(path("after.bin"))
model.save(path("trained.keras"))
result = {
    "keras": keras.__version__,
    "trainable": len(model.trainable_weights),
    "weights": len(model.weights),
    "loss": history["loss"][0],
}
json.dump(result, open(path("result.json"), "w"))
