"""Runs an exported graph over labelled rows and calibrates its outputs, as the Go runtime does."""

import random
from collections import defaultdict

import numpy as np
import onnxruntime as ort
from scipy.optimize import minimize

from encode import PAD, Encoder, targets
from heads import BY_NAME, HEADS, OFFSETS
from rows import Builder

BUCKETS = (16, 32, 64, 128, 200)
# TRUE_REPLIES is the share of replies that answer their context in ordinary talk. The relevance head learns on as many
# shuffled pairs as true ones; its calibrated value is shifted to this share.
TRUE_REPLIES = 0.8
SMALLEST = 60  # rows of one language below which the calibration of all languages is used
HOLD = 1.0  # pull towards no change, in rows


def capped(rows: list, cap: int, seed: int = 11) -> list:
    """At most cap rows of each source, form and set of gold heads."""
    groups = defaultdict(list)
    for row in rows:
        groups[(row.source, bool(row.context), tuple(sorted(row.gold)), row.lang)].append(row)
    pick, out = random.Random(seed), []
    for key in sorted(groups):
        group = groups[key]
        out += group if len(group) <= cap else pick.sample(group, cap)
    return out


def session(path: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path, options)


def logits(run: ort.InferenceSession, encoder: Encoder, rows: list) -> dict[str, np.ndarray]:
    ids = [encoder.row(r.text, r.context) for r in rows]
    out = {h.name: np.zeros((len(rows), len(h.labels)), np.float32) for h in HEADS}
    order = sorted(range(len(rows)), key=lambda i: len(ids[i]))
    for bucket in BUCKETS:
        mine = [i for i in order if len(ids[i]) <= bucket and not any(len(ids[i]) <= b for b in BUCKETS if b < bucket)]
        for at in range(0, len(mine), 32):
            cut = mine[at : at + 32]
            block = np.full((len(cut), bucket), PAD, np.int64)
            for k, i in enumerate(cut):
                block[k, : len(ids[i])] = ids[i]
            given = {"input_ids": block, "attention_mask": (block != PAD).astype(np.int64)}
            for head, values in zip(HEADS, run.run([f"logits_{h.name}" for h in HEADS], given)):
                out[head.name][cut] = values
    return out


def held_out(data: str, split: str, cap: int) -> list:
    return capped(Builder(data, split).all(), cap)


def gold(rows: list, head: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that are gold for a head, their target values and the mask of the labels that are known."""
    at = [i for i, r in enumerate(rows) if head in r.gold]
    pairs = [targets(rows[i]) for i in at]
    if not pairs:
        return np.array([], int), np.zeros((0, 1)), np.zeros((0, 1))
    span = OFFSETS[head]
    return np.array(at), np.stack([y[span] for y, _ in pairs]), np.stack([w[span] > 0 for _, w in pairs])


def fit(kind: str, z: np.ndarray, y: np.ndarray, known: np.ndarray) -> dict:
    z, y = z.astype(float), y.astype(float)  # the optimiser's small steps vanish in single precision
    labels = z.shape[1]
    if kind == "value":
        scale, shift = [], []
        for k in range(labels):
            ok = known[:, k]
            x = np.tanh(z[ok, k])
            slope = float(np.cov(x, y[ok, k])[0, 1] / max(x.var(), 1e-9))
            scale.append(slope)
            shift.append(float(y[ok, k].mean() - slope * x.mean()))
        return {"scale": scale, "shift": shift}
    if kind == "softmax":
        def loss(p):
            s = np.exp(p[0]) * z + p[1:]
            s = s - s.max(1, keepdims=True)
            prob = np.exp(s) / np.exp(s).sum(1, keepdims=True)
            return -np.log((prob * y).sum(1) + 1e-9).sum() + HOLD * np.square(p).sum()

        best = minimize(loss, np.zeros(labels + 1), method="L-BFGS-B").x
        return {"scale": [float(np.exp(best[0]))] * labels, "shift": [float(v) for v in best[1:]]}
    common = _platt(z[known], y[known])
    curves = []
    for k in range(labels):
        ok = known[:, k]
        positives = y[ok, k].sum()
        enough = min(positives, ok.sum() - positives) >= 15
        curves.append(_platt(z[ok, k], y[ok, k], common) if enough else common)
    return {"scale": [c[0] for c in curves], "shift": [c[1] for c in curves]}


def _platt(z: np.ndarray, y: np.ndarray, start=(1.0, 0.0)) -> tuple[float, float]:
    def loss(p):
        s = np.exp(p[0]) * z + p[1]
        return (np.logaddexp(0, s) - y * s).sum() + HOLD * ((p[0] - np.log(start[0])) ** 2 + 0.1 * (p[1] - start[1]) ** 2)

    best = minimize(loss, [np.log(start[0]), start[1]], method="L-BFGS-B").x
    return float(np.exp(best[0])), float(best[1])


def calibrate(rows: list, z: dict[str, np.ndarray]) -> dict:
    out = {}
    for head in HEADS:
        at, y, known = gold(rows, head.name)
        if not len(at):
            out[head.name] = {"*": {"scale": [1.0] * len(head.labels), "shift": [0.0] * len(head.labels)}}
            continue
        out[head.name] = {"*": fit(head.kind, z[head.name][at], y, known)}
        for lang in ("en", "zh"):
            mine = np.array([rows[i].lang == lang for i in at])
            both = head.kind == "value" or (y[mine].max(0, initial=0) > 0).sum() > 1 or len(set(y[mine].ravel())) > 1
            if mine.sum() >= SMALLEST and both:
                out[head.name][lang] = fit(head.kind, z[head.name][at[mine]], y[mine], known[mine])
    for curve in out["relevance"].values():
        curve["shift"] = [v + float(np.log(TRUE_REPLIES / (1 - TRUE_REPLIES))) for v in curve["shift"]]
    return out


def probabilities(rows: list, z: dict[str, np.ndarray], curves: dict) -> dict[str, np.ndarray]:
    out = {}
    for head in HEADS:
        values = np.zeros_like(z[head.name], dtype=float)
        for i, row in enumerate(rows):
            c = curves[head.name].get(row.lang) or curves[head.name]["*"]
            values[i] = apply(BY_NAME[head.name].kind, z[head.name][i].astype(float), np.array(c["scale"]), np.array(c["shift"]))
        out[head.name] = values
    return out


def apply(kind: str, z: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    if kind == "value":
        return np.clip(scale * np.tanh(z) + shift, -1, 1)
    if kind == "sigmoid":
        return 1 / (1 + np.exp(-(scale * z + shift)))
    e = np.exp(scale * z + shift - (scale * z + shift).max())
    return e / e.sum()
