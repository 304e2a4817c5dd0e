"""Trains the classifier within a budget of tokens and writes checkpoints.

usage: python train.py DATA RUN [--tokens 19e6] [--layers 12] [--seed 7] [--resume] [--fork RUN] [switches]

RUN holds tokenizer.json and kept.json (see vocabulary.py). --fork parts a run from another one: seeds may share the first
part of the way. The learning rate falls linearly over the budget, so that the
last checkpoint is a finished model; the running mean of the weights (EMA; word vectors as they are) is what export.py takes. The heads begin from
the same weights with every seed, so that the models of several seeds can be averaged (soup.py); the seed decides the order
of the rows, what is drawn of large sets, the changes of texts and dropout. On a processor with bf16 the forward pass runs in
it (three times as fast); the weights and their updates stay fp32.
"""

import argparse
import json
import os
import random
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from augment import changed
from encode import PAD, Encoder, targets
from heads import BY_NAME, HEADS, OFFSETS
from network import Model, load_start
from rows import Builder, Row
from start_weights import Start, package_file

# SHARE of the rows of a large set that one pass uses (about the square root of its size)
SHARE = {"goemotions": 0.65, "cold": 0.4, "xed": 0.5, "cped": 0.75, "emory": 0.7, "frames": 0.6, "topical": 0.6, "davidson": 0.5,
         "epitome_seeker": 0.5, "emobank": 0.7, "phrases": 0.7}
SCALE = {"emotion": 0.5, "va": 3.0, "realization": 0.3, "emotion27": 0.3, "empathic": 2.0, "negotiation": 0.5, "strategies": 0.5}
TOKENS_A_BATCH = 2560
INITIAL_SEED = 7
WARM_UP = 150  # steps


def arguments(args: argparse.ArgumentParser | None = None):
    args = args or argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("run")
    args.add_argument("--tokens", type=float, default=19e6)
    args.add_argument("--until", type=float, default=0, help="tokens after which to stop within the budget, for a fork; 0: all")
    args.add_argument("--layers", type=int, default=12)
    args.add_argument("--frozen", type=int, default=3, help="lowest layers that stay as they are, and the word vectors with them")
    args.add_argument("--rate", type=float, default=1.3e-4)
    args.add_argument("--decay", type=float, default=0.9, help="of the learning rate from layer to layer downwards")
    args.add_argument("--seed", type=int, default=7)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--resume", action="store_true")
    args.add_argument("--fork", help="another run: go on from its checkpoint, with this seed and budget")
    args.add_argument("--augment", type=float, default=0.35, help="share of texts that are changed, anew in each pass")
    args.add_argument("--fgm", type=float, default=0.0, help="length of an adversarial step on the word vectors; 0: none")
    args.add_argument("--consistency", type=float, default=0.0, help="weight of the distance between clean and changed text")
    args.add_argument("--rdrop", type=float, default=0.0, help="weight of the distance between two dropouts of the heads")
    parsed = args.parse_args()
    parsed.bf16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    torch.set_num_threads(parsed.threads)
    return parsed


@dataclass
class Block:
    """One batch: token ids padded with PAD, flat targets and weights."""

    ids: torch.Tensor
    y: torch.Tensor
    w: torch.Tensor
    other: torch.Tensor | None = None  # the same rows with changed texts


class Rows:
    def __init__(self, args, encoder: Encoder):
        self.rows: list[Row] = Builder(args.data, "train", INITIAL_SEED).all()
        self.encoder = encoder
        pairs = [targets(r) for r in self.rows]
        self.y, self.w = (torch.from_numpy(np.stack(part)) for part in zip(*pairs))
        self.length = [len(self.encoder.row(r.text, r.context)) for r in self.rows]
        self.augment, self.both = args.augment, args.consistency > 0

    def batches(self, pick: random.Random):
        """One pass: random rows, sorted by length within pools of 4,000, cut into batches of about equal tokens."""
        order = [i for i, r in enumerate(self.rows) if pick.random() < SHARE.get(r.source, 1.0)]
        pick.shuffle(order)
        for at in range(0, len(order), 4000):
            pool = sorted(order[at : at + 4000], key=self.length.__getitem__)
            cut, done = [], []
            for i in pool:
                if cut and self.length[i] * (len(cut) + 1) > TOKENS_A_BATCH:
                    done.append(cut)
                    cut = []
                cut.append(i)
            done.append(cut)
            pick.shuffle(done)
            for cut in done:
                yield self.block(cut, pick)

    def block(self, cut: list[int], pick: random.Random) -> Block:
        texts = [self.rows[i].text for i in cut]
        varied = [changed(t, pick) or t for t in texts] if self.both else None
        first = [(changed(t, pick) or t) if pick.random() < self.augment else t for t in texts]
        other = None if varied is None else self.padded(cut, varied)
        return Block(self.padded(cut, first), self.y[cut], self.w[cut], other)

    def padded(self, cut: list[int], texts: list[str]) -> torch.Tensor:
        ids = [self.encoder.row(t, self.rows[i].context) for i, t in zip(cut, texts)]
        out = torch.full((len(ids), max(map(len, ids))), PAD)
        for row, values in enumerate(ids):
            out[row, : len(values)] = torch.tensor(values)
        return out


def class_weights(y: torch.Tensor, w: torch.Tensor) -> dict[str, torch.Tensor]:
    """Softmax heads: weight of each label; sigmoid heads: weight of a positive. Square roots, capped."""
    out = {}
    for h in HEADS:
        yy, ww = y[:, OFFSETS[h.name]], w[:, OFFSETS[h.name]]
        if h.kind == "softmax":
            single = (yy.sum(1, keepdim=True) == 1) * ww
            mass = (yy * single).sum(0) + 1
            out[h.name] = (mass.mean() / mass).sqrt().clamp(0.4, 3.0)
        elif h.kind == "sigmoid":
            positive, negative = (yy * ww).sum(0) + 1, ((1 - yy) * ww).sum(0) + 1
            out[h.name] = (negative / positive).sqrt().clamp(1.0, 4.0)
    return out


def loss_of(out: dict, y: torch.Tensor, w: torch.Tensor, weights: dict) -> torch.Tensor:
    total = torch.zeros(())
    rows = y.shape[0]
    for h in HEADS:
        yy, ww = y[:, OFFSETS[h.name]], w[:, OFFSETS[h.name]]
        mass = ww.max(1).values.sum()
        if mass == 0:
            continue
        logits = out[h.name].float()
        if h.kind == "softmax":
            allowed = torch.log_softmax(logits, 1).masked_fill(yy == 0, -1e4).logsumexp(1)
            each = -allowed * ww[:, 0] * (yy * weights[h.name]).sum(1) / yy.sum(1).clamp(min=1)
        elif h.kind == "sigmoid":
            soft = yy * 0.95 + 0.025
            each = (F.binary_cross_entropy_with_logits(logits, soft, pos_weight=weights[h.name], reduction="none") * ww).sum(1)
        else:
            each = ((torch.tanh(logits) - yy).pow(2) * ww).sum(1)
        # between a mean over the head's own rows and a mean over all rows: small sets are heard, without shouting
        total = total + SCALE.get(h.name, 1.0) * each.sum() / (mass * rows).sqrt()
    return total


def distance(a: dict, b: dict) -> torch.Tensor:
    """Mean symmetric Kullback-Leibler divergence (softmax, sigmoid) or squared difference (values) over all heads."""
    total = torch.zeros(())
    for h in HEADS:
        x, y = a[h.name].float(), b[h.name].float()
        if h.kind == "softmax":
            p, q = torch.log_softmax(x, 1), torch.log_softmax(y, 1)
            total = total + ((p.exp() - q.exp()) * (p - q)).sum(1).mean()
        elif h.kind == "sigmoid":
            total = total + ((torch.sigmoid(x) - torch.sigmoid(y)) * (x - y)).mean()
        else:
            total = total + (torch.tanh(x) - torch.tanh(y)).pow(2).mean()
    return total / len(HEADS)


def step_loss(model: Model, block: Block, weights: dict, args) -> float:
    """Adds the gradients of one batch, with those of the switched-on parts, and returns its loss."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        words = model.encoder.embed(block.ids)
        if args.fgm:
            words = words.detach().requires_grad_(True)
        pooled = model.encoder.pool(words, block.ids)
        out = model.read(pooled)
        loss = loss_of(out, block.y, block.w, weights)
        if args.rdrop:
            loss = loss + args.rdrop * distance(out, model.read(pooled))
        if args.consistency:
            loss = loss + args.consistency * distance(out, model(block.other))
    loss.backward()
    if args.fgm:
        push = words.grad * (args.fgm / words.grad.norm(dim=(1, 2), keepdim=True).clamp(min=1e-9))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
            again = loss_of(model.read(model.encoder.pool((words + push).detach(), block.ids)), block.y, block.w, weights)
        again.backward()
    return loss.item()


def groups(model: Model, args) -> list[dict]:
    """What lies lower changes less: the two languages must stay together where only one of them has labels."""
    enc = model.encoder
    for part in [enc.words, enc.places, enc.norm, *enc.layers[: args.frozen]] if args.frozen else []:
        part.requires_grad_(False)
    out = []
    if not args.frozen:
        out.append({"params": [*enc.places.parameters(), *enc.norm.parameters()], "peak": args.rate * args.decay**args.layers})
    for i, layer in enumerate(enc.layers[args.frozen :], args.frozen):
        out.append({"params": list(layer.parameters()), "peak": args.rate * args.decay ** (args.layers - 1 - i)})
    out.append({"params": list(model.encoder.segments.parameters()), "peak": args.rate})
    out.append({"params": [p for n, p in model.named_parameters() if not n.startswith("encoder.")], "peak": 1e-3})
    for group in out:
        group["lr"] = group["peak"]
    return out


def save(path: str, **state) -> None:
    torch.save(state, path + ".part")
    os.replace(path + ".part", path)


class Training:
    def __init__(self, args):
        self.args, self.path = args, os.path.join(args.run, "checkpoint.pt")
        torch.manual_seed(INITIAL_SEED)
        self.model, encoder = self.begin()
        self.rows = Rows(args, encoder)
        self.weights = class_weights(self.rows.y, self.rows.w)
        optimisers = [torch.optim.AdamW(groups(self.model, args), weight_decay=0.01, fused=True)]
        if not args.frozen:
            words = {"params": [self.model.encoder.words.weight], "peak": args.rate * args.decay**args.layers}
            optimisers.append(torch.optim.SparseAdam([words], lr=words["peak"]))
        self.optimisers = optimisers
        self.learned = {n: p for n, p in self.model.named_parameters() if p.requires_grad and n != "encoder.words.weight"}
        self.ema = {n: p.detach().clone() for n, p in self.learned.items()}
        self.step, self.seen, self.spent, self.curve = 0, 0, 0.0, []
        self.common = {"step": 0, "seen": 0, "spent": 0.0}  # what this run shares with others that were forked from the same
        if args.resume and os.path.exists(self.path):
            self.go_on(torch.load(self.path, weights_only=False))
        elif args.fork:
            self.go_on(torch.load(os.path.join(args.fork, "checkpoint.pt"), weights_only=False))
            self.common = {"step": self.step, "seen": self.seen, "spent": self.spent}
        torch.manual_seed(args.seed + self.step)

    def go_on(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(kept)
        self.ema, self.step, self.seen, self.spent, self.curve = (state[k] for k in ("ema", "step", "seen", "spent", "curve"))
        self.common = state.get("common", self.common)

    def begin(self) -> tuple[Model, Encoder]:
        kept = json.load(open(os.path.join(self.args.run, "kept.json")))
        start = Start(package_file())
        model = Model(len(kept), self.args.layers, self.args.frozen, start)
        load_start(model, start, kept, {4: "\u2581me", 5: "\u2581you"})
        return model, Encoder(os.path.join(self.args.run, "tokenizer.json"), 64, 64)

    def run(self) -> None:
        began, saved, window = time.time() - self.spent / self.args.threads, time.time(), []
        first, at = self.seen, time.time()
        pick = random.Random(self.args.seed * 1000 + self.step)
        self.model.train()
        end = self.args.until or self.args.tokens
        while self.seen < end:
            for block in self.rows.batches(pick):
                window.append(self.advance(block))
                self.spent = (time.time() - began) * self.args.threads  # seconds of one core
                if self.step % 50 == 0:
                    self.curve.append((self.step, round(float(np.mean(window)), 4)))
                    print(f"step {self.step} loss {self.curve[-1][1]} tokens/s {(self.seen - first) / (time.time() - at):.0f} "
                          f"done {self.seen / self.args.tokens:.1%}", flush=True)
                    window = []
                if self.seen >= end:
                    break
                if time.time() - saved > 240:
                    self.keep()
                    saved = time.time()
        if self.args.tokens:  # without a budget there is nothing to keep: a run is only measured
            self.keep()

    def keep(self) -> None:
        save(self.path, model=self.model.state_dict(), ema=self.ema, optimisers=[o.state_dict() for o in self.optimisers],
             step=self.step, seen=self.seen, spent=self.spent, curve=self.curve, common=self.common, settings=vars(self.args))

    def advance(self, block: Block) -> float:
        rate = min(1.0, (self.step + 1) / WARM_UP) * max(0.02, 1 - self.seen / self.args.tokens)
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * rate
        loss = step_loss(self.model, block, self.weights, self.args)
        torch.nn.utils.clip_grad_norm_(self.learned.values(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        self.seen += block.ids.numel()
        if self.step % 4 == 0:
            keep = min(0.992, self.step / (self.step + 60))
            with torch.no_grad():
                for n, p in self.learned.items():
                    self.ema[n].lerp_(p, 1 - keep)
        return loss


def main() -> None:
    Training(arguments()).run()


if __name__ == "__main__":
    main()
