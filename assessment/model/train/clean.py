"""The model view of a text for training. The Go package assessment/text is the authority; this mirrors it."""

import os
import re
import unicodedata

_TABLE = os.path.join(os.path.dirname(__file__), "..", "..", "text", "tables", "t2s.txt")


def _simplified() -> dict[int, str]:
    return {ord(line[0]): line[1] for line in open(_TABLE, encoding="utf-8") if len(line) >= 2}


_T2S = _simplified()
_RUN = re.compile(r"(.)\1{3,}", re.S)
_KEEP = {"\t", "\n"}
_JOINER = "\u200d"  # stays between emoji only


def clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    kept = []
    for i, c in enumerate(text):
        if c == _JOINER:
            if 0 < i < len(text) - 1 and unicodedata.category(text[i - 1])[0] in "SM" and text[i + 1] > "\u2100":
                kept.append(c)
        elif c in _KEEP or c == "\ufe0f" or unicodedata.category(c) not in ("Cc", "Cf", "Cn", "Co", "Cs"):
            kept.append(c)
    text = "".join(kept).translate(_T2S)
    return _RUN.sub(r"\1\1\1", text).strip()
