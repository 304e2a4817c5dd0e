"""Small changes that leave the meaning: how the same line may be typed in a chat."""

import random
import re

from phrases import FILLERS

NEAR = {"a": "sq", "e": "wr", "i": "uo", "o": "ip", "n": "bm", "t": "ry", "s": "ad", "r": "et", "l": "k", "h": "gj"}
SIGNS = {"o": "0", "i": "1", "e": "3", "a": "4", "s": "5", "t": "7"}
EMOJI = ["🙂", "😂", "🙏", "❤️", "😭", "👍", "✨", "😅"]
HAN = re.compile("[\u4e00-\u9fff]")
PARTICLES = "啊吧呢吗哦嘛呀啦哈嗯"


def changed(text: str, pick: random.Random) -> str:
    kind = pick.random()
    if kind < 0.2:
        return text.rstrip(".!?。！？ ")
    if kind < 0.3:
        return text + pick.choice(["!", "...", "~", "!!", "！", "。"])
    if kind < 0.4:
        return text + " " + pick.choice(EMOJI)
    if kind < 0.5:
        return filled(text, pick)
    if kind < 0.65:
        return drawn_out(text, pick)
    if kind < 0.75:
        return signs(text, pick)
    return slips(text, pick)


def filled(text: str, pick: random.Random) -> str:
    """One more sentence that says nothing about anybody, or that speaks to whoever scores."""
    if not text:
        return text
    chinese = bool(HAN.search(text))
    more = pick.choice(FILLERS["zh" if chinese else "en"])
    end = "" if text.rstrip()[-1:] in ".!?。！？~" else "。" if chinese else "."
    return text.rstrip() + end + ("" if chinese else " ") + more


def drawn_out(text: str, pick: random.Random) -> str:
    places = [i for i, c in enumerate(text) if c in PARTICLES or c.isascii() and c.isalpha()]
    for i in sorted(pick.sample(places, min(len(places), 1 + len(places) // 25)), reverse=True):
        text = text[:i] + text[i] * pick.randint(3, 5) + text[i + 1 :]
    return text


def signs(text: str, pick: random.Random) -> str:
    """Digits for one letter in twelve, as far as the program's model view does not read them as letters again."""
    return "".join(SIGNS[c] if c in SIGNS and pick.random() < 0.12 else c for c in text)


def slips(text: str, pick: random.Random) -> str:
    letters = list(text)
    for _ in range(1 + len(letters) // 40):
        at = pick.randrange(len(letters)) if letters else 0
        if not letters or not letters[at].isalpha():
            continue
        move = pick.random()
        if move < 0.4 and letters[at].isascii():
            letters[at] = pick.choice(NEAR.get(letters[at].lower(), letters[at]))
        elif move < 0.6:
            letters[at] = ""
        elif move < 0.8 and at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        else:
            letters[at] *= 2
    return "".join(letters)
