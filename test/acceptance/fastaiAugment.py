# fastai's aug_transforms() with its defaults, for batches in [0, 1]. Numbers are from fastai/vision/augment.py.
import math

import torch
from torch.nn import functional as F

FLIP = 0.5  # aug_transforms: Flip(p=0.5)
ROTATION = 10 * math.pi / 180  # max_rotate=10
ZOOM = 1.1  # min_zoom=1, max_zoom=1.1
WARP = 0.2  # max_warp=0.2
LIGHTING = 0.2  # max_lighting=0.2
CHANCE = 0.75  # p_affine=0.75, p_lighting=0.75


def augment(pictures, generator):
    """Geometry with one interpolation (setup_aug_tfms), then brightness and contrast; each picture has its own draws."""
    draw = Draws(len(pictures), generator)
    grid = F.affine_grid((flips(draw) @ rotations(draw) @ zooms(draw))[:, :2], pictures.shape, align_corners=True)
    grid = warped(grid, draw)
    moved = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=True)
    return relit(moved, draw)


class Draws:
    def __init__(self, count, generator):
        self.count, self.generator = count, generator

    def uniform(self, low, high):
        return low + (high - low) * torch.rand(self.count, generator=self.generator)

    def sometimes(self, chance, values, neutral):
        """draw_mask: `values` with that chance, otherwise `neutral`."""
        return torch.where(self.uniform(0, 1) < chance, values, torch.tensor(neutral))


def matrices(a, b, x, c, d, y):
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    rows = [each if torch.is_tensor(each) else torch.full_like(a, each) for each in (a, b, x, c, d, y)]
    return torch.stack([*rows, zero, zero, one], 1).view(-1, 3, 3)


def flips(draw):  # flip_mat
    return matrices(draw.sometimes(FLIP, -torch.ones(draw.count), 1.0), 0, 0, 0, 1, 0)


def rotations(draw):  # rotate_mat
    angle = draw.sometimes(CHANCE, draw.uniform(-ROTATION, ROTATION), 0.0)
    return matrices(angle.cos(), angle.sin(), 0, -angle.sin(), angle.cos(), 0)


def zooms(draw):  # zoom_mat: around a random point of the picture
    share = 1 / draw.sometimes(CHANCE, draw.uniform(1, ZOOM), 1.0)
    x, y = ((1 - share) * draw.uniform(-1, 1) for _ in range(2))
    return matrices(share, 0, x, 0, share, y)


def warped(grid, draw):
    """_WarpCoord, find_coeffs and apply_perspective: the homography that brings moved corners back."""
    x, y = (draw.sometimes(CHANCE, draw.uniform(-WARP, WARP), 0.0) for _ in range(2))
    rows, values = [], []
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    for u, v in [(-1, -1), (-1, 1), (1, -1), (1, 1)]:
        moved_u, moved_v = u - u * v * y, v - u * v * x
        rows.append(torch.stack([moved_u, moved_v, one, zero, zero, zero, -u * moved_u, -u * moved_v], 1))
        rows.append(torch.stack([zero, zero, zero, moved_u, moved_v, one, -v * moved_u, -v * moved_v], 1))
        values += [u, v]
    values = torch.tensor(values, dtype=x.dtype).expand(len(x), 8)
    homography = torch.cat([torch.linalg.solve(torch.stack(rows, 1), values), one[:, None]], 1).view(-1, 3, 3)
    points = F.pad(grid.flatten(1, 2), (0, 1), value=1.0) @ homography.transpose(1, 2)
    return (points[..., :2] / points[..., 2:]).view(grid.shape)


def relit(pictures, draw):
    """Brightness adds to the logits of the values, contrast multiplies them (_BrightnessLogit, _ContrastLogit)."""
    brightness = draw.sometimes(CHANCE, draw.uniform(0.5 * (1 - LIGHTING), 0.5 * (1 + LIGHTING)), 0.5)
    widest = -math.log(1 - LIGHTING)
    contrast = draw.sometimes(CHANCE, draw.uniform(-widest, widest).exp(), 1.0)
    # fastai/torch_core.py, logit: values are kept 1e-7 away from 0 and 1.
    logits = torch.logit(pictures, eps=1e-7)
    return torch.sigmoid((logits + torch.logit(brightness)[:, None, None, None]) * contrast[:, None, None, None])
