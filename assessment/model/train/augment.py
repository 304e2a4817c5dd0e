"""Small changes that leave the meaning: how the same line may be typed in a chat."""

import random

NEAR = {"a": "sq", "e": "wr", "i": "uo", "o": "ip", "n": "bm", "t": "ry", "s": "ad", "r": "et", "l": "k", "h": "gj"}
EMOJI = ["🙂", "😂", "🙏", "❤️", "😭", "👍", "✨", "😅"]


def changed(text: str, pick: random.Random) -> str:
    kind = pick.random()
    if kind < 0.35:
        return text.lower()
    if kind < 0.55:
        return text.rstrip(".!?。！？ ")
    if kind < 0.62:
        return text.upper()
    if kind < 0.72:
        return text + pick.choice(["!", "...", "~", " ", "！", "。"])
    if kind < 0.78:
        return text + " " + pick.choice(EMOJI)
    letters = list(text)
    for _ in range(1 + len(letters) // 40):
        at = pick.randrange(len(letters)) if letters else 0
        if not letters or not letters[at].isascii() or not letters[at].isalpha():
            continue
        move = pick.random()
        if move < 0.4:
            letters[at] = pick.choice(NEAR.get(letters[at].lower(), letters[at]))
        elif move < 0.7:
            letters[at] = ""
        else:
            letters[at] *= 2
    return "".join(letters)
