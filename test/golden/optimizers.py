# Makes optimizers.json: 20 steps of PyTorch's optimizers from formula-made weights and gradients; `late` are the weights of two
# after 110 steps, the second of which joins after 100 of them (add_param_group).
# Run with PyTorch 1.13 or later: python3 optimizers.py > optimizers.json
import json
import math

import torch

def wave(n, scale, phase):
    return [scale * math.sin(phase + i * 1.7) for i in range(n)]

def run(make):
    weight = torch.nn.Parameter(torch.tensor(wave(6, 1.0, 0.1), dtype=torch.float32))
    optimizer = make([weight])
    for step in range(20):
        weight.grad = torch.tensor(wave(6, 0.5, 0.3 * step), dtype=torch.float32) + 0.2 * weight.detach()
        optimizer.step()
    return weight.detach().tolist()

def late(make):
    first = torch.nn.Parameter(torch.tensor(wave(6, 1.0, 0.1), dtype=torch.float32))
    second = torch.nn.Parameter(torch.tensor(wave(6, 1.0, 0.7), dtype=torch.float32))
    optimizer = make([first])
    for step in range(110):
        if step == 100:
            optimizer.add_param_group({"params": [second]})
        for place, weight in enumerate([first, second]):
            weight.grad = torch.tensor(wave(6, 0.5, 0.3 * step + place), dtype=torch.float32) + 0.2 * weight.detach()
        optimizer.step()
    return [first.detach().tolist(), second.detach().tolist()]

print(json.dumps({
    "adam": run(lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-7)),
    "adamBetas": run(lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-7)),
    "sgd": run(lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    "decay": run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.3)),
    "nesterov": run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "adamW": run(lambda p: torch.optim.AdamW(p, lr=0.05, eps=1e-7, weight_decay=0.3)),
    "rmsprop": run(lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-7)),
    "rmspropOnlyCentered": run(lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-5, centered=True)),
    "rmspropMomentum": run(lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-7, momentum=0.8)),
    "rmspropCentered": run(lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-5, momentum=0.5, centered=True)),
    "adagrad": run(lambda p: torch.optim.Adagrad(p, lr=0.2, eps=1e-7)),
    "adagradInitial": run(lambda p: torch.optim.Adagrad(p, lr=0.2, eps=1e-7, initial_accumulator_value=0.1)),
    "late": {
        "adam": late(lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-7)),
        "adamW": late(lambda p: torch.optim.AdamW(p, lr=0.01, eps=1e-7, weight_decay=0.3)),
        "momentum": late(lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
        "rmspropCentered": late(lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-5, momentum=0.5, centered=True)),
        "adagrad": late(lambda p: torch.optim.Adagrad(p, lr=0.01, eps=1e-7)),
    },
}, indent=1))
