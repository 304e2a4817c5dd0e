"""The model view of a text for training. The Go package assessment/text is the authority; this mirrors it."""

import os
import re
import unicodedata

_TABLES = os.path.join(os.path.dirname(__file__), "..", "..", "text", "tables")


def _simplified() -> dict[int, str]:
    return {ord(line[0]): line[1] for line in open(os.path.join(_TABLES, "t2s.txt"), encoding="utf-8") if len(line) >= 2}


_T2S = _simplified()
_DOUBLED = frozenset(open(os.path.join(_TABLES, "doubled.txt"), encoding="utf-8").read().split())
_WORD = re.compile("[a-z]+")
_DRAWN = re.compile(r"([a-z])\1{2,}")
_RUN = re.compile(r"(.)\1{3,}", re.S)
_SPACED = re.compile("[\u4e00-\u9fff](?: [\u4e00-\u9fff]){3,}")
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
    text = lower("".join(kept).translate(_T2S))
    text = _SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    text = _WORD.sub(lambda m: _straight(m[0]), text)
    return _RUN.sub(lambda m: m[0][:3], text).strip()


def _straight(word: str) -> str:
    """A drawn-out word as it is spelt: each run of three letters or more is one letter, or two where that is a word."""
    runs = list(_DRAWN.finditer(word))
    if not runs:
        return word
    if len(runs[0][0]) == len(word):
        return word[:2]
    once = _DRAWN.sub(r"\1", word)
    dropped = 0
    for m in runs:
        at = m.start() - dropped
        twice = once[:at] + m[1] + once[at:]
        if twice in _DOUBLED:
            return twice
        dropped += len(m[0]) - 1
    return once


def lower(text: str) -> str:
    """Small letters, character by character: none becomes two, none depends on its place."""
    return "".join(c.lower()[0] for c in text)
