# Makes schedules.json: factors of Keras's schedules over a run of 40 steps, of fastai's one-cycle by its own formula, and the
# learning rates of Keras's ReduceLROnPlateau over figures of epochs. Run with Keras 3: python schedules.py > schedules.json
import json
import math
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras

steps = 40
S = keras.optimizers.schedules


def factors(schedule):
    return [float(schedule(step)) for step in range(steps)]


def sched_cos(start, end, pos):
    return start + (1 + math.cos(math.pi * (1 - pos))) * (end - start) / 2


def one_cycle(pct_start, div, div_final):
    def at(step):
        pos = step / steps
        if pos < pct_start:
            return sched_cos(1 / div, 1, pos / pct_start)
        return sched_cos(1, 1 / div_final, (pos - pct_start) / (1 - pct_start))

    return [at(step) for step in range(steps)]


def plateau(values, monitor="val_loss", **options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(monitor=monitor, **options)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {monitor: value})
        rates.append(float(model.optimizer.learning_rate.numpy()))
    return rates


losses = [1, 0.9, 0.95, 0.93, 0.9, 0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
print(json.dumps({
    "cosine": factors(S.CosineDecay(1.0, steps, alpha=0.1)),
    "cosineRestarts": factors(S.CosineDecayRestarts(1.0, 8, t_mul=2.0, m_mul=0.5, alpha=0.05)),
    "exponential": factors(S.ExponentialDecay(1.0, 10, 0.5)),
    "polynomial": factors(S.PolynomialDecay(1.0, steps, end_learning_rate=0.1, power=2.0)),
    "step": factors(S.ExponentialDecay(1.0, 15, 0.1, staircase=True)),
    "oneCycle": one_cycle(0.25, 25.0, 1e5),
    "losses": losses,
    "plateau": plateau(losses, factor=0.5, patience=2, min_delta=1e-4),
    "plateauCooldown": plateau(losses, factor=0.5, patience=2, min_delta=0.05, cooldown=2, min_lr=0.2),
    "plateauAccuracy": plateau([1 - each for each in losses], monitor="val_accuracy", mode="max", factor=0.5, patience=3),
}, indent=1))
