# Makes ordinal.json: the ordinal task of Niu et al. 2016 by PyTorch, on formula-made logits. Loss: mean of the K - 1 binary
# cross-entropies. The test computes the same logits by the same formula.
# Run with PyTorch 2.13: python ordinal.py > ordinal.json
import json
import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

K = 5
LABELS = torch.tensor([0, 4, 2, 1, 3, 3, 0, 2, 4, 1, 2, 2])
SHARES = torch.tensor([[0.5, 0.25, 0.25, 0, 0], [0, 0, 0.1, 0.2, 0.7], [0.2, 0.2, 0.2, 0.2, 0.2]], dtype=torch.float64)


def wave(rows, columns, scale, phase):
    values = [[scale * math.sin(phase + (r * columns + c) * 1.7) for c in range(columns)] for r in range(rows)]
    return torch.tensor(values, dtype=torch.float64)


def beyond(distribution):
    """P(y > k) for each k below K - 1."""
    return distribution.flip(-1).cumsum(-1).flip(-1)[:, 1:]


def case(logits, distribution):
    x = logits.clone().requires_grad_(True)
    loss = binary_cross_entropy_with_logits(x, beyond(distribution))
    loss.backward()
    return {"loss": loss.item(), "gradient": x.grad.tolist()}


logits = wave(len(LABELS), K - 1, 3.0, 0.4)
certain = one_hot(LABELS, K).to(torch.float64)
probabilities = torch.sigmoid(logits)
decisions = (probabilities > 0.5).sum(-1)
falling = probabilities.sort(-1, descending=True).values
edges = torch.cat([torch.ones(len(LABELS), 1), falling, torch.zeros(len(LABELS), 1)], -1)
errors = (decisions - LABELS).abs().to(torch.float64)

print(
    json.dumps(
        {
            "labels": LABELS.tolist(),
            "shares": SHARES.tolist(),
            "encoded": beyond(certain).tolist(),
            "encodedShares": beyond(SHARES).tolist(),
            "certain": case(logits, certain),
            "ofShares": case(logits[: len(SHARES)], SHARES),
            "smoothed": case(logits, certain * 0.9 + 0.1 / K),
            "decisions": decisions.tolist(),
            "probabilities": (edges[:, :-1] - edges[:, 1:]).tolist(),
            "accuracy": (errors == 0).to(torch.float64).mean().item(),
            "meanAbsoluteError": errors.mean().item(),
        }
    )
)
