# fastai's recipe for fine-tuning in plain PyTorch, on the weights that docs/accuracy.md uses: a program to compare with.
#
#   vision_learner(dls, mobilenet_v2, metrics=accuracy).fine_tune(epochs)
#
# with dls of item_tfms=Resize(224), batch_tfms=aug_transforms(). It needs torch and pillow, and keras for --check:
#
#   python3 fastai.py <weights> <images> [--epochs 5] [--seed 0] [--train train] [--validation validation] [--test test]
#
# <weights> is data/weights/mobilenet_v2_0.35_224_no_top, <images> one folder of data/images; ants_bees takes --test val. It prints
# one JSON object: accuracy on the test part after the last epoch, and seconds of reading and training. With --check it compares
# the network with Keras's on a random picture instead. sklearnProbe.py measures a linear probe of the same features.
#
# Each number names the file of fastai 2 (the folder fastai of its repository) where it is the default.
import argparse
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from fastaiAugment import augment
from torchMobilenet import difference_from_keras, mobilenet
from torchPictures import Pictures, arguments, scaled

BATCH = 64  # data/core.py, FilteredBase.dataloaders: bs=64; drop_last=shuffle, so that a part of a batch is left out
BASE_RATE = 2e-3  # callback/schedule.py, fine_tune: base_lr=2e-3
FROZEN_EPOCHS = 1  # callback/schedule.py, fine_tune: freeze_epochs=1
FROZEN_RISE, FROZEN_DIV = 0.99, 25  # callback/schedule.py, fine_tune: pct_start=0.99; fit_one_cycle: div=25
RISE, DIV = 0.3, 5  # callback/schedule.py, fine_tune: pct_start=0.3, div=5
DIV_FINAL = 1e5  # callback/schedule.py, fit_one_cycle: div_final=1e5
RATE_SPREAD = 100  # callback/schedule.py, fine_tune: lr_mult=100
MOMENTA = (0.95, 0.85, 0.95)  # learner.py, Learner: moms
SQUARES, EPSILON, DECAY = 0.99, 1e-5, 0.01  # optimizer.py, Adam: sqr_mom=0.99, eps=1e-5, wd=0.01, decouple_wd=True
HIDDEN, DROPOUT = 512, 0.5  # vision/learner.py, create_head: lin_ftrs [nf, 512, n_out], ps=0.5 and half of it before
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)  # torch_core.py, norm_types


class ConcatPool(nn.Module):
    def forward(self, x):  # layers.py, AdaptiveConcatPool2d: the maximum, then the mean
        return torch.cat([F.adaptive_max_pool2d(x, 1).flatten(1), x.mean((2, 3))], 1)


def head(features, classes):
    """vision/learner.py, create_head and apply_init(kaiming_normal_); layers.py, LinBnDrop: no bias after normalisation."""
    layers = [ConcatPool()]
    for inputs, outputs, dropout in [(2 * features, HIDDEN, DROPOUT / 2), (HIDDEN, classes, DROPOUT)]:
        norm = nn.BatchNorm1d(inputs)
        nn.init.constant_(norm.bias, 1e-3)  # layers.py, _get_norm
        linear = nn.Linear(inputs, outputs, bias=False)
        nn.init.kaiming_normal_(linear.weight)
        layers += [norm, nn.Dropout(dropout), linear]
    return nn.Sequential(*layers[:4], nn.ReLU(), *layers[4:])


def freeze(body, frozen):
    """optimizer.py, freeze_to; learner.py, create_opt with train_bn=True: normalisations of a frozen body are trained too."""
    for module in body.modules():
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(not frozen or isinstance(module, NORMS))


def optimizer_of(body, top):
    """optimizer.py, Adam, which is AdamW. Scales and offsets do not decay (learner.py, Learner: wd_bn_bias=False)."""
    groups = []
    for stage in (body, top):
        normal, plain = [], []
        for module in stage.modules():
            (normal if isinstance(module, NORMS) else plain).extend(module.parameters(recurse=False))
        groups += [{"params": plain, "weight_decay": DECAY}, {"params": normal, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(MOMENTA[0], SQUARES), eps=EPSILON)


def cosine(start, end, at):
    return start + (end - start) * (1 - math.cos(math.pi * at)) / 2


def cycle(values, rise, at):
    """callback/schedule.py, combined_cos: from the first value to the middle one, and on to the last one."""
    start, middle, end = values
    return cosine(start, middle, at / rise) if at < rise else cosine(middle, end, (at - rise) / (1 - rise))


def fit_one_cycle(model, train, validation, epochs, rates, rise, div, generator):
    """callback/schedule.py, fit_one_cycle, with `rates` of body and head. State of the optimizer is new (learner.py, freeze_to)."""
    optimizer = optimizer_of(*model)
    per_epoch = len(train) // BATCH
    steps, step, found = epochs * per_epoch, 0, None
    for _ in range(epochs):
        model.train()  # callback/core.py, TrainEvalCallback: the frozen body too
        order = torch.randperm(len(train), generator=generator).tolist()
        for at in range(0, per_epoch * BATCH, BATCH):
            for group, rate in zip(optimizer.param_groups, [rates[0], rates[0], rates[1], rates[1]]):
                group["lr"] = cycle((rate / div, rate, rate / DIV_FINAL), rise, step / steps)
                group["betas"] = (cycle(MOMENTA, rise, step / steps), SQUARES)
            pictures, labels = train.batch(order[at:at + BATCH], generator)
            loss = F.cross_entropy(model(scaled(augment(pictures, generator))), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        found = validation and accuracy(model, validation)  # learner.py, _do_epoch: after every epoch
    return found


def fine_tune(model, train, validation, epochs, generator):
    body = model[0]
    freeze(body, True)
    # optimizer.py, set_hyper: of slice(rate), stages before the last one get a tenth.
    fit_one_cycle(model, train, validation, FROZEN_EPOCHS, (BASE_RATE / 10, BASE_RATE), FROZEN_RISE, FROZEN_DIV, generator)
    freeze(body, False)
    # vision/learner.py, default_split: body and head are the two stages that slice(rate / 100, rate) is spread over.
    rate = BASE_RATE / 2
    return fit_one_cycle(model, train, validation, epochs, (rate / RATE_SPREAD, rate), RISE, DIV, generator)


@torch.no_grad()
def accuracy(model, pictures):
    model.eval()
    right = 0
    for indices in pictures.batches(BATCH):
        batch, labels = pictures.batch(indices)
        right += (model(scaled(batch)).argmax(1) == labels).sum().item()
    return round(right / len(pictures), 4)


def run(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    begin = time.time()
    train = Pictures(options, options.train)
    if len(train) < BATCH:
        sys.exit(f"{len(train)} pictures to train on are less than a batch of {BATCH}: fastai would train nothing")
    validation = Pictures(options, [options.validation]) if options.validation else None
    body = mobilenet(options.weights)
    model = nn.Sequential(body, head(body[-2].num_features, len(train.classes)))
    validated = fine_tune(model, train, validation, options.epochs, generator)
    seconds = round(time.time() - begin, 1)
    found = {"program": "fastai's fine_tune in PyTorch", "accuracy": accuracy(model, Pictures(options, [options.test]))}
    found |= {"validation": validated} if validation else {}
    return found | {"seconds": seconds, "epochs": options.epochs, "seed": options.seed, "threads": options.threads,
                    "method": options.method, "train": len(train)}


def main():
    parser = argparse.ArgumentParser()
    arguments(parser)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validation", help="part to measure after every epoch")
    parser.add_argument("--check", action="store_true", help="compare the network with Keras's; no picture is read")
    options = parser.parse_args()
    if options.check:
        difference = difference_from_keras(options.weights, options.size)
        print(json.dumps({"difference from Keras": difference, "allowed": 1e-4}))
        sys.exit(0 if difference < 1e-4 else 1)
    print(json.dumps(run(options)))


if __name__ == "__main__":
    main()
