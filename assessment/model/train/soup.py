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
    first.update(
        model=mean, ema={}, step=sum(s["step"] for s in states), seen=sum(s["seen"] for s in states), spent=sum(s["spent"] for s in states),
        seeds=[s["settings"]["seed"] for s in states], curve=[s["curve"] for s in states], optimisers=None,
    )
    torch.save(first, os.path.join(out, "checkpoint.pt"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
