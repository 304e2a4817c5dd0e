"""Writes the tables of assessment/text: traditional to simplified characters, from OpenCC's character dictionary
(Apache-2.0), and the English words with a doubled letter, from the texts of the train splits.

usage: python tables.py DATA ../../text/tables
"""

import importlib.util
import os
import re
import sys
import unicodedata
from collections import Counter

from sources import texts

LEAST, SHARE = 8, 0.05  # of a word's count, alone and beside the same word with the letter once
DOUBLED = re.compile(r"([a-z])\1")


def main(data: str, folder: str) -> None:
    simplified(os.path.join(folder, "t2s.txt"))
    doubled(data, os.path.join(folder, "doubled.txt"))


def doubled(data: str, target: str) -> None:
    """Words whose doubled letter is no slip and no drawl: "too" and "good", not "soo" and "yess"."""
    counts = Counter(word for text in texts(data) for word in re.findall("[a-z]+", text.lower()))
    kept = []
    for word, count in counts.items():
        once = [counts[word[: m.start()] + word[m.start() + 1 :]] for m in DOUBLED.finditer(word)]
        if once and len(word) > 2 and count >= LEAST and count >= SHARE * max(once) and not re.search(r"([a-z])\1\1", word):
            kept.append(word)
    with open(target, "w", encoding="utf-8") as out:
        out.writelines(f"{word}\n" for word in sorted(kept))


def simplified(target: str) -> None:
    spec = importlib.util.find_spec("opencc")
    source = os.path.join(os.path.dirname(spec.origin), "dictionary", "TSCharacters.txt")
    pairs = {}
    for line in open(source, encoding="utf-8"):
        traditional, simplified = line.rstrip("\n").split("\t")
        first = simplified.split(" ")[0]
        # NFKC comes first in cleaning, so a row that it rewrites could never be reached
        if len(traditional) == 1 and len(first) == 1 and first != traditional:
            if unicodedata.normalize("NFKC", traditional) == traditional:
                pairs[traditional] = first
    with open(target, "w", encoding="utf-8") as out:
        for traditional in sorted(pairs):
            out.write(f"{traditional}{pairs[traditional]}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
