"""Calibrates an exported model on dev, measures the error rates of facets on test, and writes what goes beside it.

usage: python measure.py DATA RUN OUT [--seeds RUN...]

OUT holds model.int8.onnx; calibration.json, error_rates.json, heads.json and train_report.json are written there. The
measures here are those of dev, by which choices are made; `heartmark evaluate` measures the product on test.
"""

import argparse
import hashlib
import json
import os
import re

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from encode import Encoder
from heads import ACTS, BY_NAME, EMOTIONS, HEADS
from rows import Row
from scores import TRUE_REPLIES, calibrate, gold, held_out, logits, probabilities, session
from sources import DIALOGUE, SINGLE, rows as read

RESAMPLES = 200


def interval(score, y, p, seed=5) -> list[float]:
    pick, values = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        at = pick.integers(0, len(y), len(y))
        if len(set(y[at].tolist())) < 2:
            continue
        try:
            values.append(score(y[at], p[at]))
        except ValueError:
            continue
    values = [v for v in values if not np.isnan(v)]
    return [round(float(v), 3) for v in np.percentile(values, [5, 95])] if values else []


def macro(y, p):
    return f1_score(y, p, average="macro", zero_division=0)


def weighted(y, p):
    return f1_score(y, p, average="weighted", zero_division=0)


def accuracy(y, p):
    return float(np.mean(y == p))


def correlation(y, p):
    return float(np.corrcoef(y, p)[0, 1])


class Measure:
    def __init__(self, rows, p):
        self.rows, self.p, self.out = rows, p, []

    def add(self, head, name, lang, metric, score, y, p):
        if len(y) < 20 or len(set(np.asarray(y).tolist())) < 2:
            return
        y, p = np.asarray(y), np.asarray(p)
        self.out.append({"head": head, "set": name, "lang": lang, "metric": metric, "rows": len(y),
                         "value": round(float(score(y, p)), 3), "interval90": interval(score, y, p)})

    def of(self, head, sources, lang=None):
        at, y, known = gold(self.rows, head)
        keep = np.array([self.rows[i].source in sources and lang in (None, self.rows[i].lang) for i in at], bool)
        return at[keep], y[keep], known[keep]

    def label(self, head, sources, lang, metric, score, name=None):
        """One label a row among those that the set knows."""
        at, y, known = self.of(head, sources, lang)
        if not len(at):
            return
        p = np.where(known, self.p[head][at], -1) if BY_NAME[head].kind != "softmax" else self.p[head][at]
        self.add(head, name or sources[0], lang, metric, score, y.argmax(1), p.argmax(1))

    def binary(self, head, sources, lang, name=None, auc=False):
        at, y, _ = self.of(head, sources, lang)
        if not len(at):
            return
        p = self.p[head][at, 0]
        self.add(head, name or "+".join(sources), lang, "macro-F1", macro, y[:, 0].astype(int), (p >= 0.5).astype(int))
        if auc:
            self.add(head, name or "+".join(sources), lang, "AUC", roc_auc_score, y[:, 0].astype(int), p)


def thresholds(rows, p, source, head="emotion"):
    """For each label of a sigmoid head the threshold with the best F1 on dev."""
    at, y, known = gold(rows, head)
    keep = np.array([rows[i].source == source for i in at])
    at, y = at[keep], y[keep]
    best = np.full(y.shape[1], 0.5)
    for k in range(y.shape[1]):
        grid = np.linspace(0.05, 0.9, 35)
        best[k] = grid[np.argmax([f1_score(y[:, k], p[head][at, k] >= t, zero_division=0) for t in grid])]
    return best


def emotion(m: Measure, dev_rows, dev_p):
    for source, lang in (("goemotions", "en"), ("xed", "en"), ("xed", "zh")):
        at, y, known = m.of("emotion", [source], lang)
        if not len(at):
            continue
        cut = thresholds(dev_rows, dev_p, source)
        cols = [k for k in range(len(EMOTIONS)) if known[:, k].any()]
        hit = (m.p["emotion"][at][:, cols] >= cut[cols]).astype(int)
        m.add("emotion", source, lang, f"macro-F1 of {len(cols)}", _multi, _packed(y[:, cols]), _packed(hit))
    m.label("emotion", ["cped"], "zh", "macro-F1", macro)
    m.label("emotion", ["emory"], "en", "weighted F1", weighted)
    for lang in ("en", "zh"):
        m.label("emotion", ["personas"], lang, "macro-F1", macro)


def _packed(y):
    return np.array(["".join(str(int(v)) for v in row) for row in y])


def _multi(y, p):
    unpack = lambda a: np.array([[int(c) for c in s] for s in a])  # noqa: E731
    return f1_score(unpack(y), unpack(p), average="macro", zero_division=0)


def all_heads(rows, p, dev_rows, dev_p) -> list[dict]:
    m = Measure(rows, p)
    emotion(m, dev_rows, dev_p)
    at, y, _ = m.of("va", ["emobank"])
    for k, name in enumerate(("valence", "arousal")):
        m.add("va", "emobank", "en", "r " + name, correlation, y[:, k], p["va"][at, k])
    for head in ("er", "ip", "ex"):
        m.label(head, ["epitome"], "en", "macro-F1", macro)
    for lang in ("en", "zh"):
        m.label("empathy", ["personas"], lang, "macro-F1", macro)
    for source, lang in (("cold", "zh"), ("convabuse", "en"), ("davidson", "en")):
        at, y, _ = m.of("hostility", [source], lang)
        m.add("hostility", source, lang, "macro-F1", macro, 1 - y[:, 0].astype(int), (p["hostility"][at, 0] < 0.5).astype(int))
    for head in ("ctx_ignore", "ctx_escalate", "ctx_insult"):
        m.binary(head, ["diasafety"], "en")
    m.label("politeness", ["politeness"], "en", "macro-F1", macro)
    at, y, _ = m.of("politeness", ["politeness"])
    quarters = y[:, 1] == 0
    m.add("politeness", "politeness quarters", "en", "accuracy", accuracy, y[quarters, 2].astype(int),
          (p["politeness"][at][quarters, 2] > p["politeness"][at][quarters, 0]).astype(int))
    m.label("act", ["cped"], "zh", "macro-F1", macro)
    m.label("act", ["casino"], "en", "macro-F1", macro)
    m.binary("reappraisal", ["frames"], "en")
    for lang in ("en", "zh"):
        m.binary("self_naming", ["personas", "goemotions"], lang, auc=True)
        m.binary("distress", ["personas", "goemotions", "epitome_seeker", "diasafety"], lang, auc=True)
    at, y, _ = m.of("relevance", ["casino", "cped", "emory", "diasafety", "epitome", "topical"])
    for lang in ("en", "zh"):
        mine = np.array([rows[i].lang == lang for i in at])
        m.add("relevance", "shuffled pairs", lang, "accuracy", accuracy, y[mine, 0].astype(int), (p["relevance"][at][mine, 0] >= TRUE_REPLIES).astype(int))
    m.binary("realization", ["goemotions"], "en", auc=True)
    for head, source, labels in (("emotion27", "goemotions", 28), ("negotiation", "casino", 10), ("strategies", "frames", 6)):
        at, y, _ = m.of(head, [source])
        if len(at):
            cut = thresholds(dev_rows, dev_p, source, head)
            m.add(head, source, "en", f"macro-F1 of {labels}", _multi, _packed(y), _packed((p[head][at] >= cut).astype(int)))
    m.label("sentiment", ["cped"], "zh", "macro-F1", macro)
    m.label("act19", ["cped"], "zh", "macro-F1", macro)
    at, y, _ = m.of("empathic", ["empathic"])
    for k, name in enumerate(("concern", "distress")):
        m.add("empathic", "empathic", "en", "r " + name, correlation, y[:, k], p["empathic"][at, k])
    return m.out


def calibration_errors(rows, p) -> dict:
    """Expected calibration error (15 bins) of each head on test, by language."""
    out = {}
    for head in HEADS:
        if head.kind == "value" or head.name == "relevance":  # relevance is shifted to another share on purpose
            continue
        at, y, known = gold(rows, head.name)
        for lang in ("en", "zh"):
            mine = np.array([rows[i].lang == lang for i in at], bool)
            if mine.sum() < 50:
                continue
            values, truth = p[head.name][at[mine]], y[mine]
            if head.kind == "softmax":
                single = truth.sum(1) == 1
                if head.name == "hostility" and not single.all():
                    conf, right = values[:, 0], truth[:, 0]
                else:
                    conf, right = values[single].max(1), values[single].argmax(1) == truth[single].argmax(1)
            else:
                conf, right = values[known[mine]], truth[known[mine]]
            bins = np.minimum((conf * 15).astype(int), 14)
            gap = sum(abs(conf[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in range(15) if (bins == b).any())
            out[f"{head.name} {lang}"] = round(float(gap), 3)
    return out


CAUSE = re.compile(r"\b(because|since|due to|made me|makes me)\b|因为|我发现", re.I)


PLAIN_STATEMENT = 0.3  # as in assessment/scores.go


def facet_outcomes(rows, p) -> dict[str, np.ndarray]:
    """The outcome of each facet (assessment design, section 5) for every row, as the program computes it."""
    hostile = 1 - p["hostility"][:, 0]
    act = {a: p["act"][:, i] for i, a in enumerate(ACTS)}
    polite = p["politeness"][:, 2]
    on = act["question"] + act["agree"] + act["apology"] + act["offer_or_coordinate"]
    against = act["irony_or_undervalue"] + act["command"] + act["disagree_or_reject"]
    constructive = on / (on + against + PLAIN_STATEMENT * act["other"] + 1e-6)
    one = lambda h: p[h][:, 0]  # noqa: E731
    return {
        "SA1": one("self_naming") * (1 - hostile),
        "SA2": np.array([1.0 if CAUSE.search(r.text) else v for r, v in zip(rows, one("realization"))]),
        "SM1": 1 - hostile,
        "SM2": constructive * (1 - hostile),
        "SM3": one("reappraisal"),
        "SO1": p["ip"][:, 1] + p["ip"][:, 2],
        "SO2": 1 - p["er"][:, 0] * p["ex"][:, 0],
        "SO3": 1 - np.maximum(one("ctx_ignore"), p["emotion"][:, 0]),
        "SK1": np.minimum(act["comfort"] + act["offer_or_coordinate"] + act["thanks"] + act["praise"], 1),
        "SK2": constructive * (1 - one("ctx_escalate")) * (1 - hostile),
        "SK3": np.maximum(act["apology"], act["agree"] * polite),
        "SK5": 1 - np.maximum(hostile, act["irony_or_undervalue"]),
    }


def judge(facet: str, row: Row):
    """True for a row on which the facet's skill was shown, False where it plainly was not, None for neither. The rows
    are annotated ones of the test splits; which labels count as skill is said here and in the model card."""
    has = lambda head, *labels: head in row.gold and any(row.targets[head].get(x, 0) > 0.5 for x in labels)  # noqa: E731
    not_head = lambda head: head in row.gold and row.targets[head][BY_NAME[head].labels[0]] < 0.5  # noqa: E731
    yes_head = lambda head: head in row.gold and row.targets[head][BY_NAME[head].labels[0]] > 0.5  # noqa: E731
    if facet in ("SA1", "SA2"):
        if facet == "SA2":
            return True if row.source == "personas" and CAUSE.search(row.text) and yes_head("self_naming") else (
                False if row.source == "personas" and yes_head("self_naming") else None)
        return True if yes_head("self_naming") else False if not_head("self_naming") else None
    if facet in ("SM1", "SK5"):
        if row.source in ("convabuse", "cold"):
            return has("hostility", "none")
        if "ctx_insult" in row.gold:
            return not yes_head("ctx_insult")
        return None
    if facet == "SM2":
        if "ctx_insult" in row.gold:
            return not yes_head("ctx_insult")
        if row.source == "cped" and row.context and "act" in row.gold:
            return True if has("act", "agree", "apology", "question") else False if has("act", "irony_or_undervalue", "command", "disagree_or_reject") else None
        return None
    if facet == "SM3":
        return yes_head("reappraisal") if "reappraisal" in row.gold else None
    if facet in ("SO1", "SO2"):
        if row.source == "epitome" and "er" in row.gold:
            return has("ip", "weak", "strong") if facet == "SO1" else has("er", "weak", "strong") or has("ex", "weak", "strong")
        if row.source == "personas_pair" and row.lang == "zh":
            return not yes_head("ctx_ignore")
        return None
    if facet == "SO3":
        return not yes_head("ctx_ignore") if "ctx_ignore" in row.gold else None
    if facet == "SK1":  # rows that answer distress, since only there the facet opens
        if row.source == "epitome" and "er" in row.gold:
            return True if has("er", "weak", "strong") else False if has("ip", "none") and has("ex", "none") else None
        if row.source == "diasafety" and "ctx_ignore" in row.gold:
            return False if yes_head("ctx_ignore") else None
        if row.source == "personas_pair":
            return not yes_head("ctx_ignore")
        return None
    if facet == "SK2":
        if "ctx_escalate" in row.gold:
            return not yes_head("ctx_escalate")
        if row.source == "cped" and row.context and "act" in row.gold:
            return True if has("act", "agree", "apology", "question") else False if has("act", "irony_or_undervalue", "command", "disagree_or_reject") else None
        return None
    if facet == "SK3" and row.source == "cped" and "act" in row.gold:
        return True if has("act", "apology") else False if has("act", "irony_or_undervalue", "command", "disagree_or_reject", "other") else None
    return None


def error_rates(rows, p) -> dict:
    out = {"final": False, "rates": {}, "standard_errors": {}, "rows": {}}
    for facet, y in facet_outcomes(rows, p).items():
        verdict = [judge(facet, r) for r in rows]
        for lang in ("en", "zh"):
            good = np.array([v is True and r.lang == lang for v, r in zip(verdict, rows)])
            bad = np.array([v is False and r.lang == lang for v, r in zip(verdict, rows)])
            _put(out, facet, lang, y[good], y[bad])
    pick = np.random.default_rng(17)
    for lang in ("en", "zh"):
        moods = _moods(rows, p, lang)
        if min(map(len, moods.values())) >= 20:
            _put(out, "SK4", lang, _effect(moods, "low", "high", pick), _effect(moods, "high", "low", pick))
            _put(out, "SM4", lang, _recovery(moods, 1, pick), _recovery(moods, 9, pick))
    return out


def _put(out: dict, facet: str, lang: str, good: np.ndarray, bad: np.ndarray) -> None:
    if len(good) < 20 or len(bad) < 20:
        return
    out["rates"].setdefault(facet, {})[lang] = [round(float(good.mean()), 4), round(float(bad.mean()), 4)]
    # doubled: the rows were labelled for another purpose, and not by two people for this one
    out["standard_errors"].setdefault(facet, {})[lang] = [round(2 * float(y.std() / np.sqrt(len(y))) + 1e-4, 4) for y in (good, bad)]
    out["rows"].setdefault(facet, {})[lang] = [len(good), len(bad)]


LOW, HIGH, EVEN = {"anger", "sadness", "disgust_contempt"}, {"joy", "gratitude", "love_caring", "pride_admiration"}, {"neutral"}


def _moods(rows, p, lang) -> dict[str, np.ndarray]:
    """Predicted (valence, hostility) of single messages whose annotated emotion is low, high or neutral."""
    moods = {"low": [], "high": [], "even": []}
    for i, r in enumerate(rows):
        if r.lang == lang and not r.context and "emotion" in r.gold and r.source in ("goemotions", "personas", "cped"):
            named = {k for k, v in r.targets["emotion"].items() if v > 0.5}
            for mood, names in (("low", LOW), ("high", HIGH), ("even", EVEN)):
                if named and named <= names:
                    moods[mood].append((p["va"][i, 0], 1 - p["hostility"][i, 0]))
    return {k: np.array(v).reshape(-1, 2) for k, v in moods.items()}


def _effect(moods, before: str, after: str, pick) -> np.ndarray:
    """SK4: 1 when valence rises by 0.3 or hostility falls by 0.3, 0 the other way, else 0.5."""
    a, b = (moods[m][pick.integers(0, len(moods[m]), 400)] for m in (before, after))
    up = (b[:, 0] - a[:, 0] >= 0.3) | (a[:, 1] - b[:, 1] >= 0.3)
    down = (a[:, 0] - b[:, 0] >= 0.3) | (b[:, 1] - a[:, 1] >= 0.3)
    return np.where(up & ~down, 1.0, np.where(down & ~up, 0.0, 0.5))


def _recovery(moods, stays: int, pick) -> np.ndarray:
    """SM4: how soon the predicted valence is back within half a personal spread of the baseline, when the writer truly
    comes back with message number stays. Runs that do not come back within ten messages are not scored."""
    values = []
    usual = np.concatenate([moods["even"], moods["high"]])[:, 0]
    for _ in range(600):
        own = usual[pick.integers(0, len(usual), 30)]
        quarter, base, three = np.percentile(own, [25, 50, 75])
        spread = max((three - quarter) / 1.349, 0.1)  # as the program does
        low = moods["low"][pick.integers(0, len(moods["low"]), stays - 1), 0]
        after = moods["even"][pick.integers(0, len(moods["even"]), 11 - stays), 0]
        back = np.abs(np.concatenate([low, after]) - base) <= spread / 2
        if back.any():
            values.append(1 / (1 + (int(back.argmax()) + 1) / 3))
    return np.array(values)


def digest(path: str) -> str:
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def as_scored(run, encoder: Encoder, rows: list[Row], curves: dict) -> dict[str, np.ndarray]:
    """Values as the program reads them: heads that are not trained on pairs read the message alone."""
    p = probabilities(rows, logits(run, encoder, rows), curves)
    at = [i for i, r in enumerate(rows) if r.context]
    alone = [Row(rows[i].text, rows[i].lang, rows[i].source) for i in at]
    single = probabilities(alone, logits(run, encoder, alone), curves)
    for head in HEADS:
        if not head.context:
            p[head.name][at] = single[head.name]
    return p


def of_seeds(runs: list[str]) -> dict:
    """What compare.py measured of each run on dev, by head, set and metric: every value, mean and spread."""
    values: dict[tuple, list] = {}
    for run in runs:
        for m in json.load(open(os.path.join(run, "compare.json")))["measures"]:
            values.setdefault((m["head"], m["set"], m["lang"], m["metric"]), []).append(m["value"])
    return {" ".join(k): {"values": v, "mean": round(float(np.mean(v)), 4), "spread": round(float(np.std(v, ddof=1)), 4)}
            for k, v in values.items() if len(v) > 1}


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("run")
    args.add_argument("out")
    args.add_argument("--cap", type=int, default=600, help="rows of each set, form and label group")
    args.add_argument("--seeds", nargs="*", default=[])
    args.add_argument("--version", default="0.3.0")
    args = args.parse_args()
    graph = os.path.join(args.out, "model.int8.onnx")
    run, encoder = session(graph), Encoder(os.path.join(args.run, "tokenizer.json"))
    dev = held_out(args.data, "dev", args.cap)
    dev_logits = logits(run, encoder, dev)
    curves = calibrate(dev, dev_logits)
    dev_p = probabilities(dev, dev_logits, curves)
    metrics = all_heads(dev, dev_p, dev, dev_p)
    test = held_out(args.data, "test", 2 * args.cap)  # error rates want rows more than choices do
    rates = error_rates(test, as_scored(run, encoder, test, curves))
    settings = json.load(open(os.path.join(args.run, "settings.json")))
    report = {
        "model": "dei-m1", "version": args.version, "sha256": digest(graph), "settings": settings, "dev": metrics,
        "dev_calibration_error": calibration_errors(dev, dev_p), "seeds": of_seeds(args.seeds),
        "data": {s: {split: digest(os.path.join(args.data, s, split + ".jsonl")) for split in ("train", "dev", "test")} for s in SINGLE + DIALOGUE},
    }
    heads = {"id": "dei-m1", "version": args.version, "scale": "v0-provisional", "max_context": 96, "max_message": 96,
             "heads": [{"name": h.name, "kind": h.kind, "labels": h.labels, "context": h.context} for h in HEADS]}
    for name, value in (("calibration.json", curves), ("error_rates.json", rates), ("heads.json", heads), ("train_report.json", report)):
        with open(os.path.join(args.out, name), "w", encoding="utf-8") as out:
            json.dump(value, out, ensure_ascii=False, indent=1, sort_keys=True)
            out.write("\n")
    for row in metrics:
        print(row["head"], row["set"], row["lang"], row["metric"], row["value"], row["interval90"])


if __name__ == "__main__":
    main()
