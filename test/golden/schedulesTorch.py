# Makes schedulesTorch.json: learning rates of PyTorch's schedulers over a run of 40 steps, of a rate of 1.
# Run with PyTorch 1.13 or later: python3 schedulesTorch.py > schedulesTorch.json
import json
import warnings

import torch
from torch.optim import lr_scheduler as S

steps = 40


def rates(make, run=steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(run):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def one_cycle(rise, div, div_final):
    # PyTorch turns at rise · total - 1 and ends at total - 1, fastai at rise · total and at total: one step more makes one of
    # the other. PyTorch divides the first rate for the last one, fastai the highest.
    return lambda optimizer: S.OneCycleLR(
        optimizer, 1.0, total_steps=steps + 1, pct_start=(rise * steps + 1) / (steps + 1), div_factor=div,
        final_div_factor=div_final / div, cycle_momentum=False)


def warm_up(optimizer):
    rise = S.LinearLR(optimizer, start_factor=0.1, total_iters=10)
    return S.SequentialLR(optimizer, [rise, S.CosineAnnealingLR(optimizer, 30)], [10])


warnings.simplefilter("ignore")
print(json.dumps({
    "cosine": rates(lambda o: S.CosineAnnealingLR(o, steps, eta_min=0.1)),
    "cosineRestarts": rates(lambda o: S.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=2, eta_min=0.1)),
    "step": rates(lambda o: S.StepLR(o, 15, 0.1)),
    "exponential": rates(lambda o: S.ExponentialLR(o, 0.9)),
    "oneCycle": rates(one_cycle(0.25, 25.0, 1e5)),
    "oneCycleOther": rates(one_cycle(0.4, 5.0, 1e3)),
    "warmUp": rates(warm_up),
}, indent=1))
