"""Writes the traditional to simplified table of assessment/text from OpenCC's character dictionary (Apache-2.0).

usage: python tables.py ../../text/tables/t2s.txt
"""

import importlib.util
import os
import sys
import unicodedata


def main(target: str) -> None:
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
    main(sys.argv[1])
