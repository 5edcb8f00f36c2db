#!/usr/bin/env python3
"""The same work in PyTorch with torchvision, on the CPU, channels last.

    on_torch.py --work extract,head [--arch mobilenet_v2] [--images 64] [--threads 2] [--files DIR]

Random weights and pictures; the base in eval mode throughout, so BatchNorm runs by its stored statistics. Seconds are the
best of --repeat runs after one that does not count, but for `start` and `loadPreset`, which happen once. Prints one JSON
object. With --prepare it only writes the file to be loaded.
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
import torch


def allow_other_build():
    """torchvision registers operations of its own binary, which fails where that belongs to another build of torch."""
    register = torch.library.register_fake

    def register_known(name, *rest, **options):
        is_own = isinstance(name, str) and name.startswith("torchvision::")
        return (lambda function: function) if is_own else register(name, *rest, **options)

    torch.library.register_fake = register_known


if hasattr(torch.library, "register_fake"):
    allow_other_build()
import torchvision

torch.set_num_threads(task.threads)
torch.manual_seed(1)
started = time.perf_counter() - began
weights_file = os.path.join(task.files, "torch.pt")
labels = torch.arange(task.images) % task.classes


def make_network():
    network = getattr(torchvision.models, task.arch)()
    setattr(network, "fc" if task.arch == "resnet50" else "classifier", torch.nn.Identity())
    if task.arch == "vgg16":
        network.avgpool = torch.nn.AdaptiveAvgPool2d(1)  # as Keras with pooling="avg"
    network.register_forward_hook(lambda module, given, features: features.flatten(1))
    return network.to(memory_format=torch.channels_last).eval()


def pictures():
    return channels_last(torch.rand(task.images, 3, task.size, task.size))


def last_blocks_of(network):
    """As in Keras: block_14 on (features[0] is the first convolution, [1] is expanded_conv); block5; conv5_block3."""
    if task.arch == "resnet50":
        return network.layer4[2:]
    return network.features[{"mobilenet_v2": 15, "vgg16": 24}[task.arch]:]


def seconds_of(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def best_of(run):
    run()
    return min(seconds_of(run) for _ in range(task.repeat))


def batches_of(x, y):
    return zip(x.split(task.batch), y.split(task.batch))


def extract_from(network, x):
    with torch.no_grad():
        return torch.cat([network(batch) for batch in x.split(task.batch)])


def fit(forward, moving, x, epochs):
    width = {"mobilenet_v2": 1280, "resnet50": 2048, "vgg16": 512}[task.arch]
    head = torch.nn.Linear(width, task.classes)
    optimizer = torch.optim.Adam([*moving, *head.parameters()], 1e-4)
    for _ in range(epochs):
        for batch, target in batches_of(x, labels):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(head(forward(batch)), target).backward()
            optimizer.step()


def fit_whole(part_of, epochs):
    """Trains the head and one part of the network."""
    network = make_network().requires_grad_(False)
    moving = [] if part_of is None else list(part_of(network).requires_grad_(True).parameters())
    x = pictures()
    return best_of(lambda: fit(network, moving, x, epochs))


def extract():
    network, x = make_network(), pictures()
    return best_of(lambda: extract_from(network, x))


def head_cached():
    network, x = make_network(), pictures()
    return best_of(lambda: fit(lambda features: features, [], extract_from(network, x), task.epochs))


def channels_last(batch):
    return batch.contiguous(memory_format=torch.channels_last)


def load_preset():
    network = make_network()
    network.load_state_dict(torch.load(weights_file))


def folder():
    """A folder of JPEGs to features, read by as many worker processes as there are threads; and from memory, in turns."""
    network = make_network()
    steps = torchvision.transforms
    transform = steps.Compose([steps.Resize((task.size, task.size)), steps.ToTensor(), steps.Normalize([0.5] * 3, [0.5] * 3)])
    files = torchvision.datasets.ImageFolder(os.path.join(task.files, "..", "pictures"), transform)
    loader = torch.utils.data.DataLoader(files, task.batch, num_workers=task.threads)
    numbers = channels_last(torch.cat([batch for batch, _ in loader]))

    def from_files():
        with torch.no_grad():
            return torch.cat([network(channels_last(batch)) for batch, _ in loader])

    times = [
        (seconds_of(lambda: extract_from(network, numbers)), seconds_of(from_files)) for _ in range(task.repeat + 1)
    ]
    network_alone, seconds = (min(column) for column in zip(*times[1:]))
    return {"seconds": seconds, "network": network_alone, "images": len(files)}


def for_images(run):
    return lambda: {"seconds": run(), "images": task.images}


works = {
    "start": lambda: {"seconds": started},
    "loadPreset": lambda: {"seconds": seconds_of(load_preset)},
    "extract": for_images(extract),
    "head": for_images(lambda: fit_whole(None, task.epochs)),
    "headCached": for_images(head_cached),
    "last": for_images(lambda: fit_whole(last_blocks_of, 1)),
    "full": for_images(lambda: fit_whole(lambda network: network, 1)),
    "folder": folder,
}

if task.prepare:
    torch.save(make_network().state_dict(), weights_file)
    sys.exit()
done = {}
for name in [name for name in task.work.split(",") if name in works]:
    try:
        done[name] = works[name]()
    except Exception as error:
        done[name] = {"error": str(error).split("\n")[0]}
    done[name]["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"name": f"PyTorch {torch.__version__}", "version": f"torchvision {torchvision.__version__}",
                  "threads": task.threads, "works": done}))
