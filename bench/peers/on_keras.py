#!/usr/bin/env python3
"""The peer that the tutorials use: Keras 3 on TensorFlow, on the CPU.

    on_keras.py --work extract,head [--arch mobilenet_v2] [--images 64] [--threads 2] [--files DIR]

Random weights and pictures; functional model, base called with training=False, model.fit on numpy arrays, as in the
Keras transfer-learning guide. Seconds are the best of --repeat runs after one that does not count, but for `start`,
`load` and `loadPreset`, which happen once. Prints one JSON object. With --prepare it only writes the files to be loaded.
"""
import time

began = time.perf_counter()
import argparse, json, os, resource, sys

parser = argparse.ArgumentParser()
parser.add_argument("--arch", default="mobilenet_v2")
parser.add_argument("--work", default="extract")
parser.add_argument("--images", type=int, default=64)
parser.add_argument("--size", type=int, default=224)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--repeat", type=int, default=2)
parser.add_argument("--classes", type=int, default=10)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--files", default="")
parser.add_argument("--lastBlocks", default="")
parser.add_argument("--prepare", action="store_true")
task = parser.parse_args()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(task.threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
import keras
import numpy as np

keras.utils.set_random_seed(1)
tf.constant(0)  # starts the runtime
started = time.perf_counter() - began
shape = (task.size, task.size, 3)
names = {
    "mobilenet_v2": "MobileNetV2", "vgg16": "VGG16", "resnet50": "ResNet50", "efficientnet_b0": "EfficientNetB0",
    "densenet121": "DenseNet121", "mobilenet_v3_large": "MobileNetV3Large", "convnext_tiny": "ConvNeXtTiny"}
architecture = getattr(keras.applications, names[task.arch])
weights_file = os.path.join(task.files, "keras.weights.h5")
model_file = os.path.join(task.files, "keras.keras")


def make_base(weights=None):
    return architecture(weights=weights, include_top=False, pooling="avg", input_shape=shape)


def pictures():
    return np.random.rand(task.images, *shape).astype("float32")


def labels():
    return (np.arange(task.images) % task.classes).astype("int32")


def model_on(inputs, features):
    model = keras.Model(inputs, keras.layers.Dense(task.classes)(features))
    model.compile(keras.optimizers.Adam(1e-4), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def whole_model(trainable_from):
    """Base and head, trainable from a layer on; None freezes the base."""
    base = make_base()
    base.trainable = trainable_from is not None
    if trainable_from is not None:
        names = [layer.name for layer in base.layers]
        for layer in base.layers[: names.index(trainable_from)]:
            layer.trainable = False
    inputs = keras.Input(shape)
    return model_on(inputs, base(inputs, training=False))


def seconds_of(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def best_of(run, warm_up=None):
    (warm_up or run)()
    return min(seconds_of(run) for _ in range(task.repeat))


def extract_from(base, images):
    return base.predict(images, batch_size=task.batch, verbose=0)


def fit(model, x, epochs):
    model.fit(x, labels(), batch_size=task.batch, epochs=epochs, verbose=0)


def fit_whole(trainable_from, epochs):
    model, x = whole_model(trainable_from), pictures()
    return best_of(lambda: fit(model, x, epochs), lambda: fit(model, x, 1))


def extract():
    base, x = make_base(), pictures()
    return best_of(lambda: extract_from(base, x))


def head_cached():
    base, x = make_base(), pictures()
    inputs = keras.Input(base.output_shape[1:])
    model = model_on(inputs, inputs)
    return best_of(lambda: fit(model, extract_from(base, x), task.epochs))


def folder():
    """A folder of JPEGs to features as the guide reads it, and the same pictures from memory, in turns."""
    base = make_base()
    files = keras.utils.image_dataset_from_directory(
        os.path.join(task.files, "..", "pictures"), labels=None, image_size=shape[:2], batch_size=task.batch,
        shuffle=False, verbose=False)
    files = files.map(keras.applications.mobilenet_v2.preprocess_input).prefetch(2)
    numbers = np.concatenate([batch.numpy() for batch in files])
    times = [
        (seconds_of(lambda: extract_from(base, numbers)), seconds_of(lambda: base.predict(files, verbose=0)))
        for _ in range(task.repeat + 1)
    ]
    network, seconds = (min(column) for column in zip(*times[1:]))
    return {"seconds": seconds, "network": network, "images": len(numbers)}


def once(run):
    return lambda: {"seconds": seconds_of(run)}


def for_images(run):
    return lambda: {"seconds": run(), "images": task.images}


works = {
    "start": lambda: {"seconds": started},
    "load": once(lambda: keras.models.load_model(model_file)),
    "loadPreset": once(lambda: make_base(weights_file)),
    "extract": for_images(extract),
    "head": for_images(lambda: fit_whole(None, task.epochs)),
    "headCached": for_images(head_cached),
    "last": for_images(lambda: fit_whole(task.lastBlocks, 1)),
    "full": for_images(lambda: fit_whole(make_base().layers[1].name, 1)),
    "folder": folder,
}

if task.prepare:
    base = make_base()
    base.save_weights(weights_file)
    base.save(model_file)
    sys.exit()
done = {}
for name in [name for name in task.work.split(",") if name in works]:
    try:
        done[name] = works[name]()
    except Exception as error:
        done[name] = {"error": str(error).split("\n")[0]}
    keras.backend.clear_session()
    done[name]["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"name": f"Keras {keras.__version__}", "version": f"TensorFlow {tf.__version__}",
                  "threads": task.threads, "works": done}))
