# Reads folders of pictures, one folder for each class, as fastai's Resize does: for fastai.py and sklearnProbe.py.
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image


def arguments(parser):
    """Adds what both programs take."""
    parser.add_argument("weights", help="folder with model.json of MobileNetV2 without its top, a tfjs layers model")
    parser.add_argument("images", help="folder with a folder for each part, with a folder for each class")
    parser.add_argument("--train", nargs="+", default=["train"], help="parts to train on")
    parser.add_argument("--test", default="test", help="part to measure")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--method", choices=["crop", "squish"], default="crop",
                        help="fastai's ResizeMethod; crop is its default")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())


class Pictures:
    """Decoded pictures of some parts, kept in memory with a shorter side of `size`.

    fastai cuts the square at full size and then resizes it. Here pictures are resized once and cut afterwards. A cut thus begins
    at a whole pixel of the small picture, which is the only difference.
    """

    def __init__(self, options, parts):
        folders = [os.path.join(options.images, part) for part in parts]
        self.size = options.size
        self.classes = sorted(name for name in os.listdir(folders[0]) if os.path.isdir(os.path.join(folders[0], name)))
        found = [(os.path.join(folder, name, file), label) for folder in folders for label, name in enumerate(self.classes)
                 for file in sorted(os.listdir(os.path.join(folder, name)))]
        with ThreadPoolExecutor(options.threads) as pool:
            self.pictures = list(pool.map(lambda each: read(each[0], options.size, options.method), found))
        self.labels = torch.tensor([label for _, label in found])

    def __len__(self):
        return len(self.pictures)

    def batch(self, indices, generator=None):
        """Squares as [count, 3, size, size] in [0, 1]: from the middle, or at random places with a generator."""
        places = torch.rand(len(indices), 2, generator=generator) if generator else torch.full((len(indices), 2), 0.5)
        squares = np.stack([self.square(index, *place) for index, place in zip(indices, places.tolist())])
        return torch.from_numpy(squares).permute(0, 3, 1, 2).float().div(255), self.labels[torch.as_tensor(indices)]

    def square(self, index, across, down):
        # fastai/vision/augment.py, Resize.encodes: the corner is int(share · (side - side of the square)).
        picture = self.pictures[index]
        top, left = int(down * (picture.shape[0] - self.size)), int(across * (picture.shape[1] - self.size))
        return picture[top:top + self.size, left:left + self.size]

    def batches(self, count):
        return [list(range(at, min(at + count, len(self)))) for at in range(0, len(self), count)]


def read(file, size, method):
    """fastai's PILImage.create and Resize: RGB, bilinear with antialiasing, no turn by EXIF."""
    picture = Image.open(file).convert("RGB")
    width, height = picture.size
    scale = size / min(width, height)
    sides = (size, size) if method == "squish" else (max(size, round(width * scale)), max(size, round(height * scale)))
    return np.asarray(picture.resize(sides, Image.BILINEAR))


def scaled(pictures):
    """From [0, 1] to what the weights expect: x / 127.5 - 1 of bytes, in place of fastai's Normalize."""
    return pictures * 2 - 1
