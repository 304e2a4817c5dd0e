"""The heads of the classifier: their names, kinds and labels, in output order."""

from dataclasses import dataclass

EMOTIONS = (
    "joy amusement love_caring gratitude pride_admiration relief_calm hope_desire interest_surprise "
    "anger disgust_contempt fear_worry sadness shame_guilt neutral"
).split()
ACTS = (
    "comfort apology thanks praise agree question offer_or_coordinate small_talk disagree_or_reject command "
    "irony_or_undervalue other"
).split()
STRENGTH = ["none", "weak", "strong"]


@dataclass(frozen=True)
class Head:
    name: str
    kind: str  # sigmoid, softmax, value
    labels: list[str]
    context: bool = False  # trained on the pair form


HEADS = [
    Head("emotion", "sigmoid", EMOTIONS),
    Head("va", "value", ["valence", "arousal"]),
    Head("er", "softmax", STRENGTH, True),
    Head("ip", "softmax", STRENGTH, True),
    Head("ex", "softmax", STRENGTH, True),
    Head("empathy", "softmax", STRENGTH),
    Head("hostility", "softmax", ["none", "mild", "strong", "severe"]),
    Head("ctx_ignore", "sigmoid", ["ctx_ignore"], True),
    Head("ctx_escalate", "sigmoid", ["ctx_escalate"], True),
    Head("ctx_insult", "sigmoid", ["ctx_insult"], True),
    Head("politeness", "softmax", ["impolite", "neutral", "polite"]),
    Head("act", "softmax", ACTS, True),
    Head("reappraisal", "sigmoid", ["reappraisal"], True),
    Head("self_naming", "sigmoid", ["self_naming"]),
    Head("distress", "sigmoid", ["distress"]),
    Head("relevance", "sigmoid", ["relevance"], True),
    Head("realization", "sigmoid", ["realization"]),
]
BY_NAME = {h.name: h for h in HEADS}

# OFFSETS places each head's labels in one flat target row.
OFFSETS: dict[str, slice] = {}
_at = 0
for _h in HEADS:
    OFFSETS[_h.name] = slice(_at, _at + len(_h.labels))
    _at += len(_h.labels)
WIDTH = _at
