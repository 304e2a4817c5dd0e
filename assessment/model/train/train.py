"""Trains the classifier on CPU within a time budget and writes checkpoints.

usage: python train.py DATA RUN [--minutes 50] [--layers 6] [--frozen 2] [--seed 7] [--resume]

RUN holds tokenizer.json and kept.json (see vocabulary.py). The learning rate falls linearly over the budget, so that
the last checkpoint is a finished model; the mean of the weights over the last steps (EMA) is what export.py takes.
"""

import argparse
import copy
import json
import os
import random
import time

import numpy as np
import torch
from torch.nn import functional as F

from augment import changed
from encode import PAD, Encoder, targets
from heads import BY_NAME, HEADS, OFFSETS
from network import Model, load_start
from rows import Builder
from start_weights import Start, package_file

# SHARE of the rows of a large set that one pass uses (about the square root of its size)
SHARE = {"goemotions": 0.65, "cold": 0.4, "xed": 0.5, "cped": 0.75, "emory": 0.7, "frames": 0.6, "topical": 0.6, "davidson": 0.5,
         "epitome_seeker": 0.5, "emobank": 0.7}
SCALE = {"emotion": 0.5, "va": 3.0, "realization": 0.3}
TOKENS_A_BATCH = 1500


def arguments():
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("run")
    args.add_argument("--minutes", type=float, default=50)
    args.add_argument("--layers", type=int, default=6)
    args.add_argument("--frozen", type=int, default=2)
    args.add_argument("--rate", type=float, default=1e-4)
    args.add_argument("--seed", type=int, default=7)
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--resume", action="store_true")
    return args.parse_args()


def prepare(args):
    rows = Builder(args.data, "train", args.seed).all()
    enc = Encoder(os.path.join(args.run, "tokenizer.json"), 64, 64)
    pick = random.Random(args.seed)
    ids, y, w, source = [], [], [], []
    for row in rows:
        text = changed(row.text, pick) if pick.random() < 0.2 else row.text
        ids.append(np.array(enc.row(text or row.text, row.context), np.int64))
        a, b = targets(row)
        y.append(a)
        w.append(b)
        source.append(row.source)
    return ids, torch.from_numpy(np.stack(y)), torch.from_numpy(np.stack(w)), source


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
        logits = out[h.name]
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


def batches(ids: list, source: list, pick: random.Random):
    """One pass: random rows, sorted by length within pools of 4,000, cut into batches of about equal tokens."""
    order = [i for i in range(len(ids)) if pick.random() < SHARE.get(source[i], 1.0)]
    pick.shuffle(order)
    for at in range(0, len(order), 4000):
        pool = sorted(order[at : at + 4000], key=lambda i: len(ids[i]))
        cut, longest, done = [], 0, []
        for i in pool:
            longest = max(longest, len(ids[i]))
            if cut and longest * (len(cut) + 1) > TOKENS_A_BATCH:
                done.append(cut)
                cut, longest = [], len(ids[i])
            cut.append(i)
        done.append(cut)
        pick.shuffle(done)
        yield from done


def padded(ids: list, cut: list) -> torch.Tensor:
    longest = max(len(ids[i]) for i in cut)
    out = torch.full((len(cut), longest), PAD)
    for row, i in enumerate(cut):
        out[row, : len(ids[i])] = torch.from_numpy(ids[i])
    return out


def groups(model: Model, rate: float) -> list[dict]:
    for p in (*model.encoder.words.parameters(), *model.encoder.places.parameters(), *model.encoder.norm.parameters()):
        p.requires_grad_(model.encoder.frozen == 0)
    for layer in model.encoder.layers[: model.encoder.frozen]:
        layer.requires_grad_(False)
    encoder = [p for p in model.encoder.parameters() if p.requires_grad]
    heads = [p for n, p in model.named_parameters() if not n.startswith("encoder.")]
    return [{"params": encoder, "lr": rate, "peak": rate}, {"params": heads, "lr": 1e-3, "peak": 1e-3}]


def save(path: str, **state) -> None:
    torch.save(state, path + ".part")
    os.replace(path + ".part", path)


def main() -> None:
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    kept = json.load(open(os.path.join(args.run, "kept.json")))
    start = Start(package_file())
    model = Model(len(kept), args.layers, args.frozen, start)
    load_start(model, start, kept, {4: "\u2581me", 5: "\u2581you"})
    ids, y, w, source = prepare(args)
    weights = class_weights(y, w)
    optimiser = torch.optim.AdamW(groups(model, args.rate), weight_decay=0.01)
    ema = {k: v.clone() for k, v in model.state_dict().items() if v.requires_grad or v.is_floating_point()}
    path, step, spent, curve = os.path.join(args.run, "checkpoint.pt"), 0, 0.0, []
    pick = random.Random(args.seed)
    if args.resume and os.path.exists(path):
        state = torch.load(path, weights_only=False)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        ema, step, spent, curve = state["ema"], state["step"], state["spent"], state["curve"]
        pick.seed(args.seed + step)
    learned = [n for n, p in model.named_parameters() if p.requires_grad]
    began, saved, window = time.time() - spent, time.time(), []
    seen, done = 0, False
    model.train()
    while not done:
        for cut in batches(ids, source, pick):
            part = min(1.0, (time.time() - began) / (args.minutes * 60))
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * min(1.0, (step + 1) / 150) * max(0.02, 1 - part)
            block = padded(ids, cut)
            loss = loss_of(model(block), y[cut], w[cut], weights)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], 1.0)
            optimiser.step()
            step += 1
            seen += block.numel()
            window.append(loss.item())
            if step % 4 == 0:
                keep = min(0.992, step / (step + 60))
                values = dict(model.named_parameters())
                with torch.no_grad():
                    for n in learned:
                        ema[n].lerp_(values[n], 1 - keep)
            if step % 50 == 0:
                curve.append((step, round(float(np.mean(window)), 4)))
                print(f"step {step} loss {curve[-1][1]} tokens/s {seen / (time.time() - began - spent):.0f} done {part:.1%}", flush=True)
                window = []
            done = part >= 1.0
            if done or time.time() - saved > 240:
                save(path, model=model.state_dict(), ema=copy.copy(ema), optimiser=optimiser.state_dict(), step=step,
                     spent=time.time() - began, curve=curve, settings=vars(args))
                saved = time.time()
            if done:
                break


if __name__ == "__main__":
    main()
