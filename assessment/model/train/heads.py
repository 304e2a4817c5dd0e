"""The heads of the classifier: their names, kinds and labels, in output order."""

from dataclasses import dataclass

EMOTIONS = (
    "joy amusement love_caring gratitude pride_admiration relief_calm hope_desire interest_surprise "
    "anger disgust_contempt fear_worry sadness shame_guilt neutral"
).split()
EMOTIONS27 = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust "
    "embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness "
    "surprise neutral"
).split()
ACTS = (
    "comfort apology thanks praise agree question offer_or_coordinate small_talk disagree_or_reject command "
    "irony_or_undervalue other"
).split()
ACTS19 = (
    "acknowledge agreement answer apology appreciation comfort command conventional-closing disagreement greeting "
    "interjection irony other question quotation reject statement-non-opinion statement-opinion thanking"
).split()
NEGOTIATION = "elicit-pref no-need non-strategic other-need promote-coordination self-need showing-empathy small-talk uv-part vouch-fair".split()
STRATEGIES = "growth impermanence neutralizing optimism self_affirmation thankfulness".split()
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
    # The labels of the sets as their annotators gave them: for comparison with the literature, and because the encoder
    # learns from them. No facet reads them.
    Head("emotion27", "sigmoid", EMOTIONS27),
    Head("sentiment", "softmax", ["negative", "neutral", "positive"]),
    Head("act19", "softmax", ACTS19, True),
    Head("negotiation", "sigmoid", NEGOTIATION, True),
    Head("strategies", "sigmoid", STRATEGIES, True),
    Head("empathic", "value", ["concern", "distress"]),
]
BY_NAME = {h.name: h for h in HEADS}

# OFFSETS places each head's labels in one flat target row.
OFFSETS: dict[str, slice] = {}
_at = 0
for _h in HEADS:
    OFFSETS[_h.name] = slice(_at, _at + len(_h.labels))
    _at += len(_h.labels)
WIDTH = _at
