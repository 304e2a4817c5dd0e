"""Reads the annotated sets of the data folder (tiers A and B only; tier E sets are never opened here)."""

import json
import os
from typing import Iterator

SINGLE = [
    "goemotions", "xed", "cold", "convabuse", "davidson_offensive", "diasafety", "epitome_reddit",
    "empathetic_personas", "emobank", "politeness", "positive_frames", "empathic_reactions",
]
DIALOGUE = ["casino", "cped", "emorynlp", "topical_chat"]


def rows(data: str, name: str, split: str) -> Iterator[dict]:
    with open(os.path.join(data, name, split + ".jsonl"), encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def texts(data: str) -> Iterator[str]:
    """Every text of the train splits, contexts too: what the vocabulary is counted on."""
    for name in SINGLE:
        for row in rows(data, name, "train"):
            yield row["text"]
            for turn in row.get("context", []):
                yield turn["text"]
    for name in DIALOGUE:
        for row in rows(data, name, "train"):
            for turn in row["turns"]:
                yield turn["text"]
