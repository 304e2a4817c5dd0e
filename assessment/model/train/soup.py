"""Averages the weights of runs that began from the same weights, with other seeds, into one checkpoint.

usage: python soup.py OUT RUN RUN...

Each run gives its running mean (EMA). The average of fine-tuned models that share their start lies in the same basin of the
loss and is usually better than each; whether it is here is for the evaluation to say.
"""

import os
import sys

import torch


def main(out: str, runs: list[str]) -> None:
    states = [torch.load(os.path.join(run, "checkpoint.pt"), weights_only=False) for run in runs]
    first = states[0]
    whole = [{**s["model"], **s["ema"]} for s in states]
    mean = {name: sum(w[name] for w in whole) / len(whole) for name in whole[0]}
    # runs that were forked from one count its part once
    total = {k: sum(s[k] - s["common"][k] for s in states) + first["common"][k] for k in ("step", "seen", "spent")}
    first.update(
        model=mean, ema={}, **total,
        seeds=[s["settings"]["seed"] for s in states], curve=[s["curve"] for s in states], optimisers=None,
    )
    torch.save(first, os.path.join(out, "checkpoint.pt"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
