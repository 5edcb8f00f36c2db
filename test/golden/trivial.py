# Makes trivial.json: a formula-made picture of bytes after each operation of TrivialAugment, by torchvision on floats
# (equalize: on bytes, compared with Pillow), and torchvision's table of strengths.
# Run: python3 trivial.py > trivial.json
# Made with PyTorch 2.13, torchvision 0.28, Pillow 12.3, NumPy.
import json
import math

import numpy as np
import torch
import torchvision.transforms.functional as T
from PIL import Image, ImageOps
from torchvision.transforms import InterpolationMode, TrivialAugmentWide
from torchvision.transforms.autoaugment import _apply_op

HEIGHT, WIDTH = 11, 13


def picture(least, most, height=HEIGHT, width=WIDTH):
    values = [least + (most - least) * (0.5 + 0.5 * math.sin(0.3 + i * 1.7)) for i in range(height * width * 3)]
    return torch.tensor(values).round().to(torch.uint8).reshape(height, width, 3).permute(2, 0, 1)


def flat():
    # One channel of one value, one of two values, one of many.
    image = picture(30, 200)
    image[0] = 77
    image[1] = torch.where(image[1] > 100, 180, 40).to(torch.uint8)
    return image


def listed(tensor):
    return [round(v, 3) for v in (tensor.double() * 255).permute(1, 2, 0).reshape(-1).tolist()]


def equalized(image):
    made = T.equalize(image)
    pillow = np.asarray(ImageOps.equalize(Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())))
    assert (made.permute(1, 2, 0).numpy() == pillow).all()
    return made.float() / 255


def case(op, image, strength):
    # _apply_op gives the magnitudes of thresholds and bits for bytes.
    pixels = IMAGES[image].float() / 255
    if op == "Equalize":
        changed = equalized(IMAGES[image])
    elif op == "Posterize":
        changed = T.posterize(IMAGES[image], int(strength)).float() / 255
    elif op == "Solarize":
        changed = T.solarize(pixels, strength / 255)
    else:
        changed = _apply_op(pixels, op, strength, InterpolationMode.BILINEAR, None)
    return {"op": op, "image": image, "magnitude": strength, "expected": listed(changed)}


IMAGES = {"full": picture(0, 255), "narrow": picture(60, 180), "flat": flat(), "large": picture(90, 160, 40, 41)}


def main():
    space = TrivialAugmentWide()._augmentation_space(31)
    cases = [case(op, image, 0.0) for image in ("full", "narrow", "flat") for op in ("AutoContrast", "Equalize")]
    # Enough pixels for each of 255 steps.
    cases += [case("Identity", "full", 0.0), case("Equalize", "large", 0.0)]
    for op in ("ShearX", "ShearY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness", "Posterize", "Solarize"):
        strengths, signed = space[op]
        for place, side in ((4, 1), (20, -1 if signed else 1), (30, 1), (30, -1 if signed else 1)):
            cases.append(case(op, "full", float(strengths[place]) * side))
    return {
        "images": {
            name: {"size": list(image.shape[1:]), "values": image.permute(1, 2, 0).reshape(-1).tolist()}
            for name, image in IMAGES.items()
        },
        "cases": cases,
        "space": {
            name: {"magnitudes": [round(v, 6) for v in values.reshape(-1).tolist()], "signed": signed}
            for name, (values, signed) in space.items()
        },
    }


print(json.dumps(main()))
