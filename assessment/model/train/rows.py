"""Turns the sets into labelled rows: one text (alone or after its context) with the targets of some heads.

A target is gold when annotators of that set decided it; weak when a rule derives it. Weak targets are for training
only: dev and test rows carry gold ones alone.
"""

import random
import re
from dataclasses import dataclass, field

from heads import ACTS, BY_NAME, EMOTIONS, EMOTIONS27, NEGOTIATION, STRATEGIES
from phrases import of_nobody, phrases
from sources import rows as read

GO = {
    "joy": "joy", "excitement": "joy", "love": "love_caring", "caring": "love_caring", "amusement": "amusement",
    "gratitude": "gratitude", "admiration": "pride_admiration", "pride": "pride_admiration",
    "optimism": "hope_desire", "desire": "hope_desire", "relief": "relief_calm",
    "curiosity": "interest_surprise", "realization": "interest_surprise", "surprise": "interest_surprise",
    "confusion": "interest_surprise", "anger": "anger", "annoyance": "anger", "disgust": "disgust_contempt",
    "disapproval": "disgust_contempt", "fear": "fear_worry", "nervousness": "fear_worry", "sadness": "sadness",
    "disappointment": "sadness", "grief": "sadness", "embarrassment": "shame_guilt", "remorse": "shame_guilt",
    "neutral": "neutral",
}
XED = {
    "anger": "anger", "anticipation": "hope_desire", "disgust": "disgust_contempt", "fear": "fear_worry",
    "joy": "joy", "sadness": "sadness", "surprise": "interest_surprise", "trust": "love_caring", "neutral": "neutral",
}
CPED = {
    "happy": "joy", "grateful": "gratitude", "relaxed": "relief_calm", "neutral": "neutral", "anger": "anger",
    "sadness": "sadness", "depress": "sadness", "fear": "fear_worry", "worried": "fear_worry",
    "disgust": "disgust_contempt", "astonished": "interest_surprise",
}
EMORY = {
    "sad": "sadness", "mad": "anger", "scared": "fear_worry", "powerful": "pride_admiration",
    "peaceful": "relief_calm", "joyful": "joy", "neutral": "neutral",
}
PERSONA = {"sadness": "sadness", "anger": "anger", "fear": "fear_worry", "joy": "joy"}
POSITIVE = {"joy", "amusement", "love_caring", "gratitude", "pride_admiration", "relief_calm", "hope_desire"}
NEGATIVE = {"anger", "disgust_contempt", "fear_worry", "sadness", "shame_guilt"}
CPED_ACT = {
    "comfort": "comfort", "apology": "apology", "thanking": "thanks", "appreciation": "praise", "agreement": "agree",
    "acknowledge": "agree", "question": "question", "command": "command", "irony": "irony_or_undervalue",
    "reject": "disagree_or_reject", "disagreement": "disagree_or_reject", "greeting": "small_talk",
    "conventional-closing": "small_talk",
}
CASINO_ACT = {
    "uv-part": "irony_or_undervalue", "showing-empathy": "comfort", "small-talk": "small_talk",
    "promote-coordination": "offer_or_coordinate", "no-need": "offer_or_coordinate", "elicit-pref": "question",
}
GO_ACT = {"gratitude": "thanks", "admiration": "praise", "remorse": "apology", "approval": "agree",
          "disapproval": "disagree_or_reject", "caring": "comfort"}

FEELING_EN = (
    r"sad|happy|angry|mad|upset|afraid|scared|nervous|anxious|worried|excited|proud|ashamed|guilty|embarrassed|"
    r"frustrated|annoyed|disappointed|lonely|hurt|jealous|relieved|grateful|thankful|depressed|stressed|overwhelmed|"
    r"hopeless|miserable|furious|terrified|thrilled|glad|heartbroken|devastated|irritable|irritated|confused|hopeful|"
    r"content|calm|tired of|exhausted|numb|torn|moved|touched|down|bad|good|terrible|awful|great|sick of"
)
SELF_EN = re.compile(
    r"\b(i|i'm|im|i’m|ive|i've)\b[^.!?]{0,24}\b(feel|felt|feeling|am|was|'m|been|got|get|makes me|made me)?\s*"
    r"(so|really|very|pretty|quite|a bit|kind of|kinda|just|still|too|more|rather|extremely)?\s*"
    rf"\b({FEELING_EN})\b|\bmakes? me (feel|{FEELING_EN})|\bmade me (feel|{FEELING_EN})|\bi (love|hate|fear|regret)\b",
    re.I,
)
FEELING_ZH = (
    "难过|伤心|开心|高兴|快乐|生气|愤怒|害怕|担心|焦虑|紧张|激动|兴奋|骄傲|自豪|羞愧|内疚|尴尬|郁闷|失望|孤独|孤单|委屈|"
    "嫉妒|感动|感激|压力|崩溃|绝望|烦躁|烦|恐惧|不安|后悔|幸福|沮丧|抑郁|心疼|心痛|痛苦|无助|恼火|不爽|舒服|难受"
)
SELF_ZH = re.compile(rf"我[^。！？，]{{0,8}}({FEELING_ZH})|(感到|觉得|心里)[^。！？，你他她]{{0,4}}({FEELING_ZH})")
OFFER_ZH = re.compile("(我|我们|咱们)(来|可以|能|去)?(帮|陪|给)你|要不要我|我们一起|咱们一起|有什么我能")
FIRST = re.compile(r"\b(i|i'm|i've|im|my|me)\b|我", re.I)
ABOUT_OTHERS = re.compile(r"\b(you|you're|your|he|she|they|his|her|their)\b|[你他她]", re.I)


@dataclass
class Row:
    text: str
    lang: str
    source: str
    context: list = field(default_factory=list)  # (is self, text), oldest first; empty: the text alone
    targets: dict = field(default_factory=dict)  # head -> {label: value}; softmax: the labels that may be right
    weights: dict = field(default_factory=dict)  # head -> number, or {label: number} where they differ
    gold: set = field(default_factory=set)  # heads whose target annotators gave

    def put(self, head: str, target, weight=1.0, gold: bool = False) -> "Row":
        kind = BY_NAME[head].kind
        if kind == "softmax":
            names = [target] if isinstance(target, str) else list(target)
            self.targets[head] = {n: 1.0 for n in names}
        elif isinstance(target, dict):
            self.targets[head] = target
        else:
            self.targets[head] = {BY_NAME[head].labels[0]: float(target)}
        self.weights[head] = weight
        if gold:
            self.gold.add(head)
        return self


def emotions(names: set, known=EMOTIONS) -> dict:
    return {k: float(k in names) for k in known}


def strength(level: int) -> str:
    return ("none", "weak", "strong")[level]


class Builder:
    """Makes the rows of one split."""

    def __init__(self, data: str, split: str, seed: int = 7):
        self.data, self.split, self.train = data, split, split == "train"
        self.random = random.Random(f"{seed}-{split}")
        self.out: list[Row] = []
        self.pairs: dict[str, list] = {}  # source -> (context, text, lang), for relevance

    def add(self, row: Row) -> Row:
        self.out.append(row)
        return row

    def all(self) -> list[Row]:
        for make in (
            self.goemotions, self.xed, self.cold, self.convabuse, self.davidson, self.diasafety, self.epitome,
            self.personas, self.emobank, self.politeness, self.frames, self.casino, self.cped, self.emory,
            self.topical, self.empathic, self.relevance,
        ):
            make()
        if self.train:
            self._strange_contexts()
            self._phrases()
        return [r for r in self.out if (r.targets if self.train else r.gold)]

    def _strange_contexts(self) -> None:
        """Puts a third of the COLD comments behind a turn that has nothing to do with them: in Chinese only single
        comments are labelled for hostility, and the head must read the message, not the form."""
        contexts = [context for context, _, _ in self.pairs["cped"]]
        for row in self.out:
            if row.source == "cold" and self.random.random() < 0.35:
                row.context = self.random.choice(contexts)[-2:]

    def _phrases(self) -> None:
        for lang, text, level in phrases(self.random, 12):
            self.add(Row(text, lang, "phrases")).put("hostility", level, 1.0)
        for lang, kind, text in of_nobody(self.random, 8):
            row = self.add(Row(text, lang, "of_nobody")).put("self_naming", 0, 0.8).put("distress", 0, 0.5)
            row.put("hostility", "none", 0.4).put("reappraisal", 0, 0.3)
            if kind == "warm":
                row.put("act", ("comfort", "praise"), 0.3)
            else:
                row.put("emotion", emotions(set(), sorted(NEGATIVE)), 0.3)
                row.put("act", "other", 0.4)

    def rows(self, name: str):
        return read(self.data, name, self.split)

    def goemotions(self) -> None:
        for d in self.rows("goemotions"):
            labels = set(d["labels"]["emotions"])
            names = {GO[x] for x in labels if x in GO}
            row = Row(d["text"], "en", "goemotions")
            if names:
                row.put("emotion", emotions(names), gold=True)
            row.put("realization", float("realization" in labels), 0.5, gold=True)
            row.put("emotion27", {k: float(k in labels) for k in EMOTIONS27}, gold=True)
            self.add(row)
            if self.train:
                self._go_weak(row, labels, names)
            else:
                self._go_held_out(row, names)

    @staticmethod
    def _go_held_out(row: Row, names: set) -> None:
        """Negatives of self_naming and distress, by the same rule that training uses."""
        if names and names <= POSITIVE | {"neutral"}:
            row.put("distress", 0, gold=True)
        if names == {"neutral"} and not FIRST.search(row.text):
            row.put("self_naming", 0, gold=True)

    def _go_weak(self, row: Row, labels: set, names: set) -> None:
        text = row.text
        if names <= POSITIVE | {"neutral"} and names:
            row.put("hostility", "none", 0.5)
            row.put("distress", 0, 0.5)
        if names & NEGATIVE:
            mine = FIRST.search(text) and not ABOUT_OTHERS.search(text)
            if mine and labels & {"sadness", "grief", "disappointment", "fear", "nervousness", "remorse"}:
                row.put("distress", 1, 0.5)
        if "neutral" in names and len(names) == 1:
            row.put("self_naming", 0, 0.4)
        elif SELF_EN.search(text) and names - {"interest_surprise"}:
            row.put("self_naming", 1, 0.5)
        elif not FIRST.search(text):
            row.put("self_naming", 0, 0.5)
        if names == {"gratitude"} and "self_naming" not in row.targets:
            row.put("self_naming", 0, 0.4)
        acts = {GO_ACT[x] for x in labels if x in GO_ACT}
        if len(acts) == 1:
            row.put("act", acts.pop(), 0.4)
        elif text.rstrip().endswith("?") and "curiosity" in labels:
            row.put("act", "question", 0.4)
        sign = (bool(names & POSITIVE) - bool(names & NEGATIVE)) * 0.5
        if names and "interest_surprise" not in names:
            row.put("va", {"valence": sign}, 0.1)
        if names == {"neutral"} or names <= NEGATIVE:
            row.put("reappraisal", 0, 0.2)

    def xed(self) -> None:
        known = sorted(set(XED.values()))
        for d in self.rows("xed"):
            english = d["lang"] == "en"
            names = {XED[x] for x in d["labels"]["emotions"]}
            weights = {k: (0.3 if k in ("hope_desire", "love_caring") else 1.0) * (0.6 if english else 0.3) for k in known}
            self.add(Row(d["text"], "en" if english else "zh", "xed")).put(
                "emotion", emotions(names, known), weights, gold=english or not self.train
            )

    def cold(self) -> None:
        for d in self.rows("cold"):
            bad = d["labels"]["offensive"]
            row = self.add(Row(d["text"], "zh", "cold"))
            row.put("hostility", INSULT if bad else "none", gold=True)
            if self.train:
                row.put("distress", 0, 0.2)
                if bad:
                    row.put("politeness", "impolite", 0.15)

    def convabuse(self) -> None:
        for d in self.rows("convabuse"):
            severity = d["labels"]["severity"]
            if not d["labels"]["abusive"]:
                level = "none"
            else:
                level = "mild" if severity > -1.5 else "strong" if severity > -2.5 else "severe"
            context = [(t["speaker"] == "self", t["text"]) for t in d["context"]][-3:]
            row = self.add(Row(d["text"], "en", "convabuse")).put("hostility", level, 1.5, gold=True)
            if not self.train:
                continue
            paired = self.add(Row(d["text"], "en", "convabuse", context)).put("hostility", level)
            insult = level in ("strong", "severe") or (level == "mild" and d["labels"].get("target") == "system")
            if level == "none" or insult:
                paired.put("ctx_insult", float(insult), 0.4)
            if level == "none":
                row.put("distress", 0, 0.1) if len(d["text"]) < 12 else None
            else:
                row.put("politeness", "impolite", 0.3)
                paired.put("act", "irony_or_undervalue", 0.3)
            self.pairs.setdefault("convabuse", []).append((context, d["text"], "en"))

    def davidson(self) -> None:
        for d in self.rows("davidson_offensive"):
            kind = d["labels"]["class"]
            allowed = {"hate": ("strong", "severe"), "offensive": ("mild", "strong"), "neither": "none"}[kind]
            if self.train and self.random.random() > 0.3:
                continue
            self.add(Row(d["text"], "en", "davidson")).put("hostility", allowed, 0.2, gold=True)

    def diasafety(self) -> None:
        heads = {"Risk Ignorance": "ctx_ignore", "Toxicity Agreement": "ctx_escalate", "Offending User": "ctx_insult"}
        for d in self.rows("diasafety"):
            context = [(False, t["text"]) for t in d["context"]]
            kind, bad = d["labels"]["category"], d["labels"]["unsafe"]
            row = self.add(Row(d["text"], "en", "diasafety", context))
            if kind in heads:
                row.put(heads[kind], bad, 1.5, gold=True)
            if not self.train:
                if kind == "Risk Ignorance":
                    self.add(Row(d["context"][-1]["text"], "en", "diasafety")).put("distress", 1, gold=True)
                continue
            if kind == "Offending User":
                alone = self.add(Row(d["text"], "en", "diasafety"))
                for r in (alone, row):
                    r.put("hostility", INSULT if bad else "none", 0.7)
                row.put("act", ("irony_or_undervalue", "disagree_or_reject", "command") if bad else NOT_HARSH, 0.3)
            if kind == "Risk Ignorance":
                self.add(Row(d["context"][-1]["text"], "en", "diasafety")).put("distress", 1, 1.0)
                row.put("ctx_insult", 0, 0.2) if not bad else None
                row.put("act", NO_SUPPORT if bad else ("comfort", "question", "offer_or_coordinate", "agree", "praise"), 0.3)
            if kind == "Unauthorized Expertise" and not bad:
                row.put("ctx_escalate", 0, 0.3).put("ctx_insult", 0, 0.3)
            self.pairs.setdefault("diasafety", []).append((context, d["text"], "en"))

    def epitome(self) -> None:
        for d in self.rows("epitome_reddit"):
            context = [(False, t["text"]) for t in d["context"]]
            levels = d["labels"]
            row = self.add(Row(d["text"], "en", "epitome", context))
            for head in ("er", "ip", "ex"):
                row.put(head, strength(levels[head]), 2.0, gold=True)
            if not self.train:
                self.add(Row(d["context"][-1]["text"], "en", "epitome_seeker")).put("distress", 1, gold=True)
                continue
            for _ in range(2):  # three times in all: it is small and three heads rest on it
                again = self.add(Row(d["text"], "en", "epitome", context))
                for head in ("er", "ip", "ex"):
                    again.put(head, strength(levels[head]), 2.0)
            if levels["er"] or levels["ip"]:
                row.put("ctx_ignore", 0, 0.5)
            row.put("ctx_insult", 0, 0.2).put("ctx_escalate", 0, 0.3)
            if levels["er"]:
                row.put("act", ("comfort", "question") if levels["ex"] == 2 else "comfort", 0.5)
            else:
                row.put("act", NO_SUPPORT, 0.4)
            seeker = d["context"][-1]["text"]
            self.add(Row(seeker, "en", "epitome_seeker")).put("distress", 1, 1.0)
            self.add(Row(d["text"], "en", "epitome")).put("self_naming", 0, 0.3).put("hostility", "none", 0.3)
            self.pairs.setdefault("epitome", []).append((context, d["text"], "en"))

    def personas(self) -> None:
        told: dict[str, list] = {"en": [], "zh": []}
        lines: list[tuple] = []
        for d in self.rows("empathetic_personas"):
            lang = "en" if d["lang"] == "en" else "zh"
            if d["task"] == "empathy":
                lines.append((lang, d["text"], d["labels"]["empathy"]))
            elif d["labels"]["emotion"] != "joy":
                told[lang].append(d["text"])
            row = self.add(Row(d["text"], lang, "personas"))
            if d["task"] == "empathy":
                level = d["labels"]["empathy"]
                row.put("empathy", strength(level), gold=True)
                row.put("self_naming", 0, 0.7, gold=True)
                if self.train:
                    row.put("hostility", "none", 0.4).put("distress", 0, 0.4)
                    row.put("er", ("weak", "strong") if level == 2 else "none" if level == 0 else STRENGTHS, 0.3)
                    question = d["text"].rstrip().endswith(("?", "？"))
                    row.put("act", "comfort" if level == 2 else "question" if question else ("comfort", "question"), 0.4)
                continue
            name = PERSONA[d["labels"]["emotion"]]
            row.put("emotion", emotions({name}, sorted(PERSONA.values())), 0.7, gold=d["task"] == "emotion")
            row.put("self_naming", 1, 1.0, gold=True)
            row.put("distress", float(name != "joy"), 1.0, gold=True)
            if self.train:
                row.put("hostility", "none", 0.3).put("va", {"valence": 0.6 if name == "joy" else -0.5}, 0.1)
                row.put("reappraisal", 0, 0.4) if name != "joy" else None

        self._answers_to(told, lines)

    def _answers_to(self, told: dict, lines: list) -> None:
        """Statements of distress with helper lines as answers, and with lines of other talks that pass over them. Made
        from annotated rows; the pairing is ours. They stand in for the Chinese pairs that no set has."""
        for lang, text, level in lines:
            context = [(False, self.random.choice(told[lang]))]
            row = self.add(Row(text, lang, "personas_pair", context))
            if level != 1:
                row.put("er", ("weak", "strong") if level else "none", 0.4)
            if level == 2:
                row.put("ip", ("weak", "strong"), 0.5).put("ctx_ignore", 0, 0.6, gold=True).put("act", "comfort", 0.6)
        strangers = {"zh": "cped", "en": "casino"}
        for lang, name in strangers.items():
            talk = [t["text"] for d in self.rows(name) for t in d["turns"] if t.get("act", "") in PLAIN_ACTS and "deal" not in t
                    and t.get("sentiment", "neutral") != "negative"]
            for statement in told[lang]:
                row = self.add(Row(self.random.choice(talk), lang, "personas_pair", [(False, statement)]))
                row.put("ctx_ignore", 1, 0.5, gold=True)
                if self.train:
                    row.put("er", "none", 0.3).put("ip", "none", 0.3).put("ex", "none", 0.2).put("relevance", 0, 0.5)

    def emobank(self) -> None:
        for d in self.rows("emobank"):
            v, a = (max(-1.0, min(1.0, d["labels"][k] - 3)) for k in "VA")
            self.add(Row(d["text"], "en", "emobank")).put("va", {"valence": v, "arousal": a}, 1.0, gold=True)

    def politeness(self) -> None:
        for d in self.rows("politeness"):
            row = self.add(Row(d["text"], "en", "politeness")).put("politeness", d["labels"]["class"], gold=True)
            if self.train:
                row.put("distress", 0, 0.1)
                if d["labels"]["class"] == "polite":
                    row.put("hostility", "none", 0.3)

    def frames(self) -> None:
        before = None
        for d in self.rows("positive_frames"):
            original = d["context"][-1]["text"]
            own = [(True, original)]
            better, plain = d["text"], original
            if self.train:
                better, plain = self._rough(better), self._rough(plain)
            if self.train and self.random.random() < 0.4:
                row = self.add(Row(better, "en", "frames")).put("reappraisal", 1)
            else:
                row = self.add(Row(better, "en", "frames", own)).put("reappraisal", 1, gold=True)
            row.put("strategies", {k: float(k in d["labels"]["strategies"]) for k in STRATEGIES}, 1.5, gold=bool(row.context))
            other = [(True, before)] if before and self.random.random() < 0.5 else []
            self.add(Row(plain, "en", "frames", other)).put("reappraisal", 0, gold=True)
            if self.train:
                self.add(Row(original, "en", "frames")).put("distress", 1, 0.6)
            before = original

    def _rough(self, text: str) -> str:
        """Takes away the marks of edited prose at random, so that the head cannot live on spelling."""
        if self.random.random() < 0.5:
            text = text.lower()
        if self.random.random() < 0.4:
            text = text.rstrip(".! ")
        return text

    def casino(self) -> None:
        for d in self.rows("casino"):
            for i, turn in enumerate(d["turns"]):
                text = turn["text"]
                if "deal" in turn:
                    continue
                context = self._before(d["turns"], i)
                if self.train and context:
                    self.pairs.setdefault("casino", []).append((context, text, "en"))
                names = turn.get("strategies")
                if not names:
                    continue
                act = next((a for s, a in CASINO_ACT.items() if s in names), "other")
                alone = bool(self.train and self.random.random() < 0.4)
                row = self.add(Row(text, "en", "casino", [] if alone else context))
                row.put("act", act, 0.8, gold=True)
                row.put("negotiation", {k: float(k in names) for k in NEGOTIATION}, 1.5, gold=True)
                if self.train:
                    row.put("hostility", "none", 0.3).put("er", "none" if act != "comfort" else STRENGTHS, 0.2)
                    row.put("ctx_insult", 0, 0.3).put("ctx_escalate", 0, 0.3).put("ip", "none", 0.1)
                    row.put("ctx_ignore", 0, 0.2)
                    if alone:
                        row.put("distress", 0, 0.3)

    def cped(self) -> None:
        for d in self.rows("cped"):
            for i, turn in enumerate(d["turns"]):
                self._cped_turn(d, i, turn)

    def _cped_turn(self, d: dict, i: int, turn: dict) -> None:
        text, emotion = turn["text"], turn.get("emotion")
        context = self._before(d["turns"], i)
        act = CPED_ACT.get(turn.get("act"), "other")
        answers = bool(context) and not context[-1][0]
        if self.train and answers and len(text) > 3:
            self.pairs.setdefault("cped", []).append((context, text, "zh"))
        offers = bool(OFFER_ZH.search(text))
        pair = bool(context) and self.random.random() < (0.5 if self.train else 2)
        single = self.add(Row(text, "zh", "cped"))
        single.put("sentiment", turn["sentiment"], gold=True)
        plain = self.train and act == "other" and not offers and self.random.random() < 0.45
        row = self.add(Row(text, "zh", "cped", context)) if pair and not plain else single
        if not plain:  # statements are so many that half of them are enough for the acts
            weight = {"other": 0.3, "question": 0.6}.get(act, 1.5)
            row.put("act", act, weight, gold=True).put("act19", turn["act"], gold=True)
        if self.train and act == "other" and offers:  # CPED has no act of its own for offers
            row.put("act", "offer_or_coordinate", 0.6)
        self._cped_emotion(single if not self.train or self.random.random() < 0.8 else row, emotion)
        if self.train:
            self._cped_weak(single, row, emotion, act, answers, d["turns"][i - 1].get("emotion") if i else "")

    def _cped_emotion(self, row: Row, emotion: str) -> None:
        if emotion in CPED:
            row.put("emotion", emotions({CPED[emotion]}, sorted(set(CPED.values()))), 1.0, gold=True)
        elif emotion == "positive-other":
            row.put("emotion", emotions(set(), sorted(NEGATIVE | {"neutral"})), 0.4)
        elif emotion == "negative-other":
            row.put("emotion", emotions(set(), sorted(POSITIVE | {"neutral"})), 0.4)

    def _cped_weak(self, single: Row, row: Row, emotion: str, act: str, answers: bool, before: str) -> None:
        sign = {"happy": 1, "grateful": 1, "relaxed": 1, "positive-other": 1, "neutral": 0}.get(emotion, -1)
        single.put("va", {"valence": 0.4 * sign}, 0.1)
        if emotion in ("sadness", "fear", "worried"):
            single.put("distress", 1, 0.3)
        elif sign >= 0:
            single.put("distress", 0, 0.4).put("hostility", "none", 0.4)
        if SELF_ZH.search(single.text):
            single.put("self_naming", 1, 0.5)
        elif "我" not in single.text or emotion == "neutral" or act in ("thanks", "small_talk"):
            single.put("self_naming", 0, 0.4)
        if sign <= 0:
            single.put("reappraisal", 0, 0.15)
        if act in ("thanks", "apology", "comfort"):
            single.put("politeness", "polite", 0.3)
        elif sign >= 0:
            single.put("politeness", ("neutral", "polite"), 0.2)
        if row.context and answers:
            row.put("ctx_ignore", 0, 0.5 if act == "comfort" else 0.2)
            if act == "comfort":
                row.put("er", ("weak", "strong"), 0.8)
            elif act not in ("apology", "thanks", "praise", "agree"):
                row.put("er", "none", 0.15)
            if act != "question":
                row.put("ex", "none", 0.15)
            elif before in ("sadness", "fear", "worried", "depress"):
                row.put("ex", ("weak", "strong"), 0.4)
            if sign >= 0:
                row.put("ctx_insult", 0, 0.3).put("ctx_escalate", 0, 0.3).put("hostility", "none", 0.4)
            if emotion in ("anger", "disgust") and act in ("irony_or_undervalue",):
                row.put("ctx_insult", 1, 0.3)

    def emory(self) -> None:
        known = sorted(set(EMORY.values()))
        for d in self.rows("emorynlp"):
            for i, turn in enumerate(d["turns"]):
                context = self._before(d["turns"], i)
                if self.train and context and not context[-1][0] and len(turn["text"]) > 8:
                    self.pairs.setdefault("emory", []).append((context, turn["text"], "en"))
                if turn.get("emotion") in EMORY:
                    pair = self.train and self.random.random() < 0.2
                    weights = {k: 0.5 * (0.5 if k == "pride_admiration" else 1.0) for k in known}
                    self.add(Row(turn["text"], "en", "emory", context if pair else [])).put(
                        "emotion", emotions({EMORY[turn["emotion"]]}, known), weights, gold=True
                    )

    def topical(self) -> None:
        for d in self.rows("topical_chat"):
            for i, turn in enumerate(d["turns"]):
                context = self._before(d["turns"], i)
                if context and not context[-1][0] and len(turn["text"]) > 15 and self.random.random() < 0.3:
                    self.pairs.setdefault("topical", []).append((context, turn["text"], "en"))
                if self.train and self.random.random() < 0.1:
                    row = self.add(Row(turn["text"], "en", "topical")).put("hostility", "none", 0.4)
                    row.put("distress", 0, 0.4).put("reappraisal", 0, 0.1)
                    if turn["text"].rstrip().endswith("?"):
                        row.put("act", "question", 0.4)

    def empathic(self) -> None:
        for d in self.rows("empathic_reactions"):
            concern, distress = ((d["labels"][k] - 4) / 3 for k in ("empathic_concern", "personal_distress"))
            self.add(Row(d["text"], "en", "empathic")).put("empathic", {"concern": concern, "distress": distress}, 1.0, gold=True)

    def relevance(self) -> None:
        """True pairs against shuffled ones; half of the shuffled come from near by in the same set's order: another
        conversation, mostly with the same people or topic."""
        if not self.train:
            self._held_out_pairs()
        limits = {"topical": 6000, "cped": 8000, "emory": 3000, "casino": 3000, "diasafety": 4500, "epitome": 1800,
                  "convabuse": 800}
        for source, pairs in self.pairs.items():
            order = list(range(len(pairs)))
            self.random.shuffle(order)
            for i in order[: limits[source] if self.train else 400]:
                context, text, lang = pairs[i]
                self.add(Row(text, lang, source, context)).put("relevance", 1, 1.0, gold=True)
                hard = self.random.random() < 0.5
                j = i + self.random.choice([-1, 1]) * self.random.randint(15, 40) if hard else self.random.randrange(len(pairs))
                wrong = pairs[j % len(pairs)]
                if wrong[1] == text or wrong[0] == context:
                    continue
                row = self.add(Row(wrong[1], lang, source, context)).put("relevance", 0, 1.0, gold=True)
                if self.train and source == "epitome" and not hard:
                    row.put("ip", "none", 0.3)
                if self.train and source in ("casino", "topical"):
                    row.put("er", "none", 0.1)

    def _held_out_pairs(self) -> None:
        for d in self.rows("diasafety"):
            self.pairs.setdefault("diasafety", []).append(([(False, t["text"]) for t in d["context"]], d["text"], "en"))
        for d in self.rows("epitome_reddit"):
            self.pairs.setdefault("epitome", []).append(([(False, t["text"]) for t in d["context"]], d["text"], "en"))
        for name, key, lang in (("casino", "casino", "en"), ("cped", "cped", "zh"), ("emorynlp", "emory", "en")):
            for d in self.rows(name):
                for i, turn in enumerate(d["turns"]):
                    context = self._before(d["turns"], i)
                    if context and not context[-1][0] and "deal" not in turn and len(turn["text"]) > 3:
                        self.pairs.setdefault(key, []).append((context, turn["text"], lang))

    @staticmethod
    def _before(turns: list, i: int) -> list:
        """The three turns before turn i, neighbours of one speaker kept apart."""
        me = turns[i]["speaker"]
        return [(t["speaker"] == me, t["text"]) for t in turns[max(0, i - 3) : i] if "deal" not in t]


STRENGTHS = ("none", "weak", "strong")
# Severity: mild is rude or curt, strong an insult to a person or a group, severe a threat or hate. COLD and DiaSafety mark
# insults without grading them.
INSULT = ("strong", "severe")
PLAIN_ACTS = ("", "statement-non-opinion", "statement-opinion", "answer", "command", "quotation")
NO_SUPPORT = ("agree", "question", "small_talk", "disagree_or_reject", "command", "irony_or_undervalue", "other")
NOT_HARSH = tuple(a for a in ACTS if a not in ("irony_or_undervalue", "command"))
assert set(CPED_ACT.values()) | set(CASINO_ACT.values()) | {"other"} <= set(ACTS)
