"""Cuts the 250,002 pieces of the start model to those that English and Chinese use, and writes tokenizer.json.

usage: python vocabulary.py DATA OUT [--size 32000]

The normaliser is NFKC and "white space to one space" in place of XLM-R's character map, so that the Go tokenizer needs
no map of its own. The six marks have names with a space in them: a space never reaches the pieces (it becomes U+2581),
so that a typed "<s>" or "[self]" is plain text.
"""

import argparse
import collections
import json
import os
import unicodedata

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from clean import clean, lower
from sources import texts
from start_weights import Start, package_file

MARKS = ["<s> ", "<pad> ", "</s> ", "<unk> ", "[self] ", "[other] "]


def tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    tok = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tok.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always", split=True)
    return tok


def wanted_character(c: str) -> bool:
    point = ord(c)
    if 0x4E00 <= point <= 0x9FFF or 0x20 < point < 0x17F or 0x2000 <= point <= 0x2BFF or 0x3000 <= point <= 0x303F:
        return True
    return 0x1F000 <= point <= 0x1FAFF or unicodedata.category(c) == "So"


def plain(piece: str) -> bool:
    return piece == lower(piece) and all(c == "\u2581" or c.isascii() or 0x4E00 <= ord(c) <= 0x9FFF for c in piece)


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("out")
    args.add_argument("--size", type=int, default=32000)
    args = args.parse_args()
    start = Start(package_file())
    full = tokenizer([(p if i > 3 else MARKS[i], float(s)) for i, (p, s) in enumerate(zip(start.pieces, start.scores))])
    counts = collections.Counter()
    batch = [clean(t) for t in texts(args.data)]
    for at in range(0, len(batch), 20000):
        for e in full.encode_batch(batch[at : at + 20000]):
            counts.update(e.ids)
    chosen = {
        i
        for i, p in enumerate(start.pieces)
        if i > 3 and (len(p) == 1 and (wanted_character(p) or counts[i]) or p == "\u2581")
    }
    for i, _ in counts.most_common():
        if i > 3 and len(chosen) < args.size - 6000 and (plain(start.pieces[i]) or counts[i] > 2):
            chosen.add(i)
    # the rest by how common the start model finds them, so that words outside the sets keep whole pieces
    for i in np.argsort(-start.scores, kind="stable"):
        if len(chosen) >= args.size - len(MARKS):
            break
        if i > 3 and plain(start.pieces[i]):
            chosen.add(int(i))
    order = sorted(chosen)
    pieces = [(m, 0.0) for m in MARKS] + [(start.pieces[i], float(start.scores[i])) for i in order]
    tok = tokenizer(pieces)
    tok.save(os.path.join(args.out, "tokenizer.json"), pretty=False)
    kept = [0, 1, 2, 3, 3, 3] + order
    json.dump(kept, open(os.path.join(args.out, "kept.json"), "w"))
    sample = batch[:: max(1, len(batch) // 5000)]
    old = sum(len(e.ids) for e in full.encode_batch(sample))
    new = sum(len(e.ids) for e in tok.encode_batch(sample))
    unknown = sum(e.ids.count(3) for e in tok.encode_batch(sample))
    print(f"pieces {len(pieces)}; tokens {old} -> {new} on {len(sample)} texts, unknown {unknown}")


if __name__ == "__main__":
    main()
