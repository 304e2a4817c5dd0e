"""Encodes rows as the Go runtime does: <s> ([self]|[other] turn)* </s> message </s>, or <s> message </s>."""

import numpy as np
from tokenizers import Tokenizer

from clean import clean
from heads import BY_NAME, OFFSETS, WIDTH

BEGIN, PAD, END, UNKNOWN, SELF, OTHER = range(6)


class Encoder:
    def __init__(self, path: str, max_context: int = 96, max_message: int = 96):
        self.tok = Tokenizer.from_file(path)
        self.max_context, self.max_message = max_context, max_message
        self._seen: dict[str, list[int]] = {}

    def pieces(self, text: str) -> list[int]:
        if text not in self._seen:
            self._seen[text] = self.tok.encode(clean(text), add_special_tokens=False).ids
        return self._seen[text]

    def message(self, text: str) -> list[int]:
        ids = self.pieces(text)
        if len(ids) > self.max_message:
            head = self.max_message * 2 // 3
            ids = ids[:head] + ids[len(ids) - (self.max_message - head) :]
        return ids

    def context(self, turns: list) -> list[int]:
        left, parts = self.max_context, []
        for own, text in reversed(turns):
            ids = self.pieces(text)
            if left < 2:
                break
            ids = ids[max(0, len(ids) - (left - 1)) :]
            parts.append([SELF if own else OTHER] + ids)
            left -= len(ids) + 1
        return [i for part in reversed(parts) for i in part]

    def row(self, text: str, turns: list) -> list[int]:
        message = self.message(text)
        if not turns:
            return [BEGIN] + message + [END]
        return [BEGIN] + self.context(turns) + [END] + message + [END]


def targets(row) -> tuple[np.ndarray, np.ndarray]:
    """One flat row of values and one of weights. A softmax head's values mark the allowed labels."""
    y, w = np.zeros(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    for name, target in row.targets.items():
        head, at = BY_NAME[name], OFFSETS[name].start
        weight = row.weights[name]
        for i, label in enumerate(head.labels):
            if label in target:
                y[at + i] = target[label]
            if head.kind == "softmax":
                w[at + i] = weight
            elif label in target:
                w[at + i] = weight[label] if isinstance(weight, dict) else weight
    return y, w
