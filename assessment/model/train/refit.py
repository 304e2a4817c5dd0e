"""Fits the heads again on the vectors of a finished encoder, one head at a time, and keeps what is better on dev.

usage: python refit.py DATA RUN

While the encoder learns, all heads share its steps, and the small sets are heard little. On fixed vectors each head goes
over its own rows as often as its dev loss falls. A head is taken where the mean of its dev measures rises. RUN/checkpoint.pt
is written anew with the heads that are taken; RUN/refit.json says for each what it gained.
"""

import argparse
import copy
import json
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from encode import PAD, Encoder, targets
from export import load
from heads import HEADS, OFFSETS, Head
from measure import all_heads
from network import HEAD_WIDTH, Model
from rows import Builder
from scores import apply, capped
from train import class_weights, save

SEED = 7
PASSES, PATIENCE = 40, 5
BATCH, RATE, DECAY = 256, 5e-4, 0.02
CAP = 600  # dev rows of a set, form and label group that the measures are taken on


class Vectors:
    """The pooled vectors, targets and weights of all rows of one split."""

    def __init__(self, model: Model, encoder: Encoder, data: str, split: str):
        self.rows = rows = Builder(data, split, SEED).all()
        ids = [encoder.row(r.text, r.context) for r in rows]
        order = sorted(range(len(rows)), key=lambda i: len(ids[i]))
        self.x = torch.zeros(len(rows), model.hidden.in_features, dtype=torch.bfloat16)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported()):
            for at in range(0, len(order), 64):
                cut = order[at : at + 64]
                block = torch.full((len(cut), max(len(ids[i]) for i in cut)), PAD)
                for k, i in enumerate(cut):
                    block[k, : len(ids[i])] = torch.tensor(ids[i])
                self.x[cut] = model.encoder(block).bfloat16()
        self.y, self.w = (torch.from_numpy(np.stack(part)) for part in zip(*map(targets, rows)))

    def of(self, head: Head) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Vectors, targets and weights of the rows that say something about a head."""
        span = OFFSETS[head.name]
        at = self.w[:, span].max(1).values > 0
        return self.x[at].float(), self.y[at][:, span].float(), self.w[at][:, span].float()


class Part(nn.Module):
    """One head with its share of the first layer."""

    def __init__(self, model: Model, index: int):
        super().__init__()
        span = slice(index * HEAD_WIDTH, (index + 1) * HEAD_WIDTH)
        self.hidden = nn.Linear(model.hidden.in_features, HEAD_WIDTH)
        self.output = copy.deepcopy(model.outputs[HEADS[index].name])
        self.dropout = nn.Dropout(0.2)
        with torch.no_grad():
            self.hidden.weight.copy_(model.hidden.weight[span])
            self.hidden.bias.copy_(model.hidden.bias[span])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.dropout(F.gelu(self.hidden(self.dropout(x)))))


def row_losses(kind: str, logits: torch.Tensor, y: torch.Tensor, w: torch.Tensor, weight) -> torch.Tensor:
    if kind == "softmax":
        allowed = torch.log_softmax(logits, 1).masked_fill(y == 0, -1e4).logsumexp(1)
        return -allowed * w[:, 0] * (y * weight).sum(1) / y.sum(1).clamp(min=1)
    if kind == "sigmoid":
        return (F.binary_cross_entropy_with_logits(logits, y * 0.95 + 0.025, pos_weight=weight, reduction="none") * w).sum(1)
    return ((torch.tanh(logits) - y).pow(2) * w).sum(1)


def fit(part: Part, kind: str, weight, train, dev) -> tuple[float, float, int]:
    """Trains part in place and returns its dev loss before and after, and the passes taken."""

    def loss() -> float:
        part.eval()
        with torch.no_grad():
            return float(row_losses(kind, part(dev[0]), dev[1], dev[2], weight).sum() / dev[2].max(1).values.sum().clamp(min=1))

    optimiser = torch.optim.AdamW(part.parameters(), lr=RATE, weight_decay=DECAY)
    first = best = loss()
    kept, since, taken = copy.deepcopy(part.state_dict()), 0, 0
    pick = torch.Generator().manual_seed(SEED)
    for n in range(PASSES):
        part.train()
        for cut in torch.randperm(len(train[0]), generator=pick).split(BATCH):
            x, y, w = (t[cut] for t in train)
            optimiser.zero_grad(set_to_none=True)
            (row_losses(kind, part(x), y, w, weight).sum() / w.max(1).values.sum().clamp(min=1e-6)).backward()
            optimiser.step()
        now = loss()
        if now < best - 1e-4:
            best, kept, since, taken = now, copy.deepcopy(part.state_dict()), 0, n + 1
        else:
            since += 1
            for group in optimiser.param_groups:
                group["lr"] *= 0.6
        if since >= PATIENCE:
            break
    part.load_state_dict(kept)
    return first, best, taken


def measures(model: Model, dev: Vectors, at: list[int]) -> dict[str, float]:
    """The mean of the dev measures of each head."""
    rows = [dev.rows[i] for i in at]
    with torch.no_grad():
        out = model.read(dev.x[at].float())
    values = {h.name: np.array([apply(h.kind, z, 1.0, 0.0) for z in out[h.name].numpy()]) for h in HEADS}
    by_head: dict[str, list[float]] = {}
    for m in all_heads(rows, values, rows, values):
        by_head.setdefault(m["head"], []).append(m["value"])
    return {name: float(np.mean(v)) for name, v in by_head.items()}


def place(model: Model, index: int, part: Part) -> None:
    span = slice(index * HEAD_WIDTH, (index + 1) * HEAD_WIDTH)
    with torch.no_grad():
        model.hidden.weight[span] = part.hidden.weight
        model.hidden.bias[span] = part.hidden.bias
        model.outputs[HEADS[index].name].load_state_dict(part.output.state_dict())


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("run")
    args.add_argument("--threads", type=int, default=1)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    model, state = load(args.run)
    encoder = Encoder(os.path.join(args.run, "tokenizer.json"), 64, 64)
    dev, train = (Vectors(model, encoder, args.data, split) for split in ("dev", "train"))
    number = {id(row): i for i, row in enumerate(dev.rows)}
    at = [number[id(row)] for row in capped(dev.rows, CAP)]
    weights, before, old, losses = class_weights(train.y, train.w), measures(model, dev, at), [], {}
    for index, head in enumerate(HEADS):
        old.append(Part(model, index))
        part = copy.deepcopy(old[-1])
        losses[head.name] = fit(part, head.kind, weights.get(head.name), train.of(head), dev.of(head))
        place(model, index, part)
    after, report = measures(model, dev, at), {}
    for index, head in enumerate(HEADS):
        taken = after[head.name] > before[head.name]
        if not taken:
            place(model, index, old[index])
        first, best, passes = losses[head.name]
        report[head.name] = {"dev_loss": [round(first, 4), round(best, 4)], "passes": passes,
                             "dev_measure": [round(before[head.name], 4), round(after[head.name], 4)], "taken": taken}
        print(head.name, report[head.name], flush=True)
    state["model"] = model.state_dict()
    state["ema"] = {name: state["model"][name] for name in state["ema"]}
    save(os.path.join(args.run, "checkpoint.pt"), **state)
    with open(os.path.join(args.run, "refit.json"), "w") as out:
        json.dump(report, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
