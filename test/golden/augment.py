# Makes augment.json: operations on a formula-made picture by PyTorch and torchvision; the turn of hues and the corners of
# the perspective by NumPy, in other words than in src/augment. Run: python3 augment.py > augment.json
# Made with PyTorch 1.13, torchvision 0.14.1, NumPy 1.24.
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
import torchvision.transforms.functional as T

HEIGHT, WIDTH = 7, 9


def picture(low, high):
    values = [low + (high - low) * (0.5 + 0.5 * math.sin(0.3 + i * 1.7)) for i in range(HEIGHT * WIDTH * 3)]
    return torch.tensor(values, dtype=torch.float32).reshape(HEIGHT, WIDTH, 3).permute(2, 0, 1)


def listed(tensor):
    return [round(v, 6) for v in tensor.permute(1, 2, 0).reshape(-1).tolist()]


def mapped(matrix, padding):
    # Places from the middle, as halves of the sides: what grid_sample takes without align_corners.
    y, x = torch.meshgrid(
        torch.arange(HEIGHT) - (HEIGHT - 1) / 2, torch.arange(WIDTH) - (WIDTH - 1) / 2, indexing="ij"
    )
    places = torch.stack([x, y, torch.ones_like(x)], -1).double() @ torch.tensor(matrix, dtype=torch.float64).reshape(3, 3).T
    places = places[..., :2] / places[..., 2:]
    grid = places / torch.tensor([WIDTH / 2, HEIGHT / 2], dtype=torch.float64)
    return listed(
        F.grid_sample(
            picture(0, 1)[None].double(), grid[None], mode="bilinear", padding_mode=padding, align_corners=False
        )[0]
    )


MAPS = {
    "moved": [1, 0, 1.25, 0, 1, -2.5, 0, 0, 1],
    "turned": [0.8, -0.6, 0.5, 0.6, 0.8, -1, 0, 0, 1],
    "small": [2.5, 0, 0, 0, 3, 0, 0, 0, 1],
    "in perspective": [1.1, 0.1, 1, -0.2, 0.9, 0.5, 0.03, -0.05, 1],
}
PADDINGS = {"reflect": "reflection", "nearest": "border", "0": "zeros"}


def hue_turned(share):
    yuv = np.array([[0.299, 0.587, 0.114], [-0.492111 * 0.299, -0.492111 * 0.587, 0.492111 * 0.886],
                    [0.877283 * 0.701, -0.877283 * 0.587, -0.877283 * 0.114]])
    cosine, sine = math.cos(2 * math.pi * share), math.sin(2 * math.pi * share)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return (np.linalg.inv(yuv) @ turn @ yuv).reshape(-1).round(9).tolist()


def warped(x, y):
    # fastai/vision/augment.py, _WarpCoord and find_coeffs, with one draw; both ends of places at the four corners' halves.
    original = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], dtype=np.float64)
    target = np.array([[-1 - y, -1 - x], [-1 + y, 1 + x], [1 + y, -1 + x], [1 - y, 1 - x]])
    rows, right = [], []
    for (u, v), (s, t) in zip(original, target):
        rows += [[s, t, 1, 0, 0, 0, -u * s, -u * t], [0, 0, 0, s, t, 1, -v * s, -v * t]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(right)), 1).round(9).tolist()


def main():
    middle = picture(0.3, 0.7)
    full = picture(0, 1)
    jitter = T.adjust_saturation(T.adjust_contrast(T.adjust_brightness(middle, 1.2), 0.7), 1.3)
    return {
        "height": HEIGHT,
        "width": WIDTH,
        "maps": [
            {"name": name, "map": matrix, "fill": fill, "expected": mapped(matrix, padding)}
            for name, matrix in MAPS.items()
            for fill, padding in PADDINGS.items()
        ],
        "colours": {
            "brighten 1.4": listed(T.adjust_brightness(full, 1.4)),
            "brighten 0.6": listed(T.adjust_brightness(full, 0.6)),
            "contrastBy 1.8": listed(T.adjust_contrast(full, 1.8)),
            "contrastBy 0.4": listed(T.adjust_contrast(full, 0.4)),
            "saturate 2": listed(T.adjust_saturation(full, 2)),
            "saturate 0.3": listed(T.adjust_saturation(full, 0.3)),
            "saturate 0": listed(T.rgb_to_grayscale(full, 3)),
        },
        "jitter": listed(jitter),
        "hues": [{"share": share, "expected": hue_turned(share)} for share in [0.1, -0.25, 0.5]],
        "tilts": [{"x": x, "y": y, "expected": warped(x, y)} for x, y in [(0.2, 0), (-0.5, 0), (0, 0.3), (0, -0.15)]],
        "blurs": [
            {"sigma": sigma, "expected": listed(T.gaussian_blur(full, [2 * r + 1] * 2, [sigma] * 2))}
            for sigma, r in [(0.3, 1), (0.8, 3), (1.2, 4)]
        ],
    }


print(json.dumps(main()))
