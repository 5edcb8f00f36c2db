# Runs every model of a folder that exportKeras.js has written, and compares its outputs: exportKeras.py <folder>.
import glob
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import keras
import numpy as np

failed = 0
for file in sorted(glob.glob(os.path.join(sys.argv[1], "*.keras"))):
    name = os.path.basename(file)[: -len(".keras")]
    facts = json.load(open(file.replace(".keras", ".json")))
    model = keras.models.load_model(file)
    inputs = np.fromfile(file.replace(".keras", ".bin"), "float32").reshape(facts["shape"])
    outputs = model.predict(inputs, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    expected = [np.array(each) for each in facts["outputs"]]
    off = max(abs(found - wanted).max() / abs(wanted).max() for found, wanted in zip(outputs, expected))
    passed = off < 1e-5 and len(outputs) == len(expected)
    failed += not passed
    print(f"{'ok  ' if passed else 'FAIL'} {name} in Keras {keras.__version__}: {off:.1e}")
sys.exit(1 if failed else 0)
