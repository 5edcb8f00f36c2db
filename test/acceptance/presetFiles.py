"""Writes a legacy .h5 and a .weights.h5 file of each preset, with weights by the formula of ../golden/presets.py, and
what Keras computes with them, for presetFiles.js. Run with Keras 3.15: python presetFiles.py <folder> [name ...]
"""

import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format
import h5py
import presets

folder, *names = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
committed = json.load(open(presets.FILE))
for name in names or presets.PRESETS:
    constructor, _, alphas, size, raw = presets.PRESETS[name]
    keras.backend.clear_session()
    options = {"alpha": alphas[0]} if constructor.startswith("MobileNet") else {}
    body = getattr(keras.applications, constructor)(weights=None, include_top=False, input_shape=(*size, 3), **options)
    presets.assign(body, committed[name][0]["gain"])
    own = [each for each in body.layers if not isinstance(each, (keras.Model, keras.layers.InputLayer))]
    inner = own[len(own) // 2]
    picture = presets.uniform(size[0] * size[1] * 3, 1000, 0).astype(np.float32).reshape(1, *size, 3)
    if raw:
        picture = (picture + np.float32(1)) * np.float32(127.5)
    inside, last = keras.Model(body.input, [inner.output, body.output])(picture, training=False)
    found = {"alpha": alphas[0], "inputSize": size, "raw": raw}
    found["inner"] = {"layer": inner.name, **presets.summarise(inside)}
    found["features"] = presets.summarise(last)
    json.dump(found, open(os.path.join(folder, f"{name}.json"), "w"))
    body.save_weights(os.path.join(folder, f"{name}.weights.h5"))
    with h5py.File(os.path.join(folder, f"{name}.h5"), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, body)
    print(name, flush=True)
