"""The classical floor: TF-IDF (words 1-2, characters 1-4) with a linear model a head, on the same rows.

usage: python floor.py DATA OUT.json [--cap 300] [--train 8000]
"""

import argparse
import json

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_union

from clean import clean
from heads import HEADS
from measure import all_heads
from rows import Builder
from scores import gold, held_out


def text(row) -> str:
    before = " ".join("c_" + w for _, t in row.context[-1:] for w in clean(t).split()[:40])
    return clean(row.text) + (" \n " + before if before else "")


def fitted(x, y):
    if len(set(y)) < 2:
        return None
    return LogisticRegression(C=4.0, max_iter=60, solver="liblinear" if len(set(y)) == 2 else "lbfgs").fit(x, y)


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("out")
    args.add_argument("--cap", type=int, default=300)
    args.add_argument("--train", type=int, default=8000)
    args = args.parse_args()
    train, dev, test = Builder(args.data, "train").all(), held_out(args.data, "dev", args.cap), held_out(args.data, "test", args.cap)
    p = {s: {h.name: np.zeros((len(r), len(h.labels))) for h in HEADS} for s, r in (("dev", dev), ("test", test))}
    pick = np.random.default_rng(7)
    for head in HEADS:
        at, y, known = gold(train, head.name)
        if len(at) > args.train:
            chosen = pick.choice(len(at), args.train, replace=False)
            at, y, known = at[chosen], y[chosen], known[chosen]
        features = make_union(TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=40000),
                              TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=3, sublinear_tf=True, max_features=60000))
        x = features.fit_transform([text(train[i]) for i in at])
        z = {s: features.transform([text(r) for r in rows]) for s, rows in (("dev", dev), ("test", test))}
        if head.kind == "softmax":
            single = y.sum(1) == 1 if head.name != "hostility" else np.ones(len(y), bool)
            target = y[single].argmax(1)  # of several allowed labels the first: hostile or not is what is measured
            model = fitted(x[single], target)
            for s in p:
                p[s][head.name][:, model.classes_] = model.predict_proba(z[s])
            continue
        for k in range(y.shape[1]):
            ok = known[:, k]
            if head.kind == "value":
                model = Ridge(alpha=2.0).fit(x[ok], y[ok, k])
                for s in p:
                    p[s][head.name][:, k] = model.predict(z[s])
            elif (model := fitted(x[ok], y[ok, k].astype(int))) is not None:
                for s in p:
                    p[s][head.name][:, k] = model.predict_proba(z[s])[:, 1]
    json.dump(all_heads(test, p["test"], dev, p["dev"]), open(args.out, "w"), indent=1)


if __name__ == "__main__":
    main()
