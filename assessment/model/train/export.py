"""Writes the ONNX graphs of a checkpoint: int8 for CPUs, fp32 and fp16 for GPUs.

usage: python export.py DATA RUN OUT

OUT gets model.int8.onnx, model.fp32.onnx and model.fp16.onnx; RUN gets settings.json (how the checkpoint came about, and how
far the graphs are from it). Only the int8 file belongs into the repository.

In the int8 form every token has a step of its own for each product (symmetric, 181 values), each column of weights too
(181 values, rounded so that the error of the product on dev rows is small), so that no processor's 8-bit product can
overflow. Integer sums are exact, so a row's result does not depend on the rows beside it in a batch, nor on the processor's
instruction set; the usual dynamic quantisation, whose step is taken over the whole batch, would give both up. Channels with
large values give a part of their range to the weights.
"""

import argparse
import json
import os

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from encode import PAD, Encoder
from heads import HEADS
from network import Model
from rows import Builder
from scores import session
from start_weights import Start, package_file

OPSET = 21
POSITIONS = 256
STEPS = 90  # activations lie in 0 to 2 * STEPS, weights in -STEPS to STEPS: two products, 2 * 180 * 90, fit 16 bits
SAMPLE_ROWS = 400
HEADS_OUT = [f"logits_{h.name}" for h in HEADS]


def load(run: str) -> tuple[Model, dict]:
    state = torch.load(os.path.join(run, "checkpoint.pt"), weights_only=False)
    kept = json.load(open(os.path.join(run, "kept.json")))
    settings = state["settings"]
    model = Model(len(kept), settings["layers"], settings["frozen"], Start(package_file()))
    model.load_state_dict(state["model"])
    model.load_state_dict({**model.state_dict(), **state["ema"]})
    return model.eval(), state


def sample_inputs(model: Model, data: str, run: str) -> dict[str, np.ndarray]:
    """The inputs of every linear layer on dev rows, at most 4,000 token rows a layer."""
    enc = Encoder(os.path.join(run, "tokenizer.json"))
    rows = Builder(data, "dev").all()
    pick = np.random.default_rng(3)
    chosen = [rows[i] for i in pick.choice(len(rows), SAMPLE_ROWS, replace=False)]
    chosen.sort(key=lambda r: len(enc.row(r.text, r.context)))
    caught: dict[str, list] = {}
    hooks, masks = [], {}

    def catch(name):
        def hook(_, args):
            x = args[0].detach()
            x = x[masks["real"]] if x.dim() == 3 else x
            caught.setdefault(name, []).append(x.numpy())

        return hook

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            hooks.append(module.register_forward_pre_hook(catch(name)))
    with torch.no_grad():
        for at in range(0, len(chosen), 32):
            ids = [enc.row(r.text, r.context) for r in chosen[at : at + 32]]
            block = torch.full((len(ids), max(map(len, ids))), PAD)
            for i, row in enumerate(ids):
                block[i, : len(row)] = torch.tensor(row)
            masks["real"] = block.ne(PAD)
            model(block)
    for hook in hooks:
        hook.remove()
    out = {}
    for name, parts in caught.items():
        x = np.concatenate(parts)
        out[name] = x[pick.choice(len(x), min(len(x), 4000), replace=False)]
        caught[name] = []
        out[name + ".max"] = np.abs(x).max(0)
    return out


class Graph:
    """Collects nodes and constants; every method returns the name of its output."""

    def __init__(self, inputs: dict | None, half: bool = False):
        self.nodes, self.constants, self.inputs, self._n = [], [], inputs, 0
        self.kind, self.float = (np.float16, TensorProto.FLOAT16) if half else (np.float32, TensorProto.FLOAT)

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes):
        names = [f"{kind.lower()}_{self._n}_{i}" for i in range(outputs)]
        self._n += 1
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def const(self, value, kind=None) -> str:
        self._n += 1
        name = f"c_{self._n}"
        array = np.array(value, kind or self.kind, order="C")  # keeps scalars without axes
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def linear(self, x: str, layer: torch.nn.Linear, name: str, weight=None, bias=None) -> str:
        w = (layer.weight if weight is None else weight).detach().numpy().T.astype(np.float32)
        b = (layer.bias if bias is None else bias).detach().numpy().astype(np.float32)
        if self.inputs is None:
            product = self.op("MatMul", x, self.const(w))
        else:
            product = self._quantised(x, w, self.inputs[name], self.inputs[name + ".max"])
        return self.op("Add", product, self.const(b))

    def _quantised(self, x: str, w: np.ndarray, sample: np.ndarray, top: np.ndarray) -> str:
        smooth, _, column = quantise(w, top, best_share(w, sample, top))
        q = compensated(w * smooth[:, None], column, sample / smooth)
        scaled = self.op("Mul", x, self.const(1 / smooth))
        largest = self.op("ReduceMax", self.op("Abs", scaled), self.const([-1], np.int64), keepdims=1)
        step = self.op("Max", self.op("Mul", largest, self.const(1 / STEPS)), self.const(1e-9))
        shifted = self.op("Add", self.op("Round", self.op("Div", scaled, step)), self.const(STEPS))
        whole = self.op("Cast", shifted, to=TensorProto.UINT8)
        product = self.op("MatMulInteger", whole, self.const(q, np.int8), self.const(STEPS, np.uint8))
        return self.op("Mul", self.op("Mul", self.op("Cast", product, to=TensorProto.FLOAT), step), self.const(column))


def quantise(w: np.ndarray, top: np.ndarray, share: float):
    """Splits each channel's range top between activation and weight by share, then quantises the weights by column."""
    top = np.maximum(top, 1e-4)
    smooth = np.maximum(top**share / np.maximum(np.abs(w).max(1), 1e-4) ** (1 - share), 1e-5).astype(np.float32)
    smooth /= np.exp(np.log(smooth).mean())
    scaled = w * smooth[:, None]
    column = np.maximum(np.abs(scaled).max(0) / STEPS, 1e-8).astype(np.float32)
    q = np.clip(np.round(scaled / column), -STEPS, STEPS)
    return smooth, q, column


def compensated(w: np.ndarray, column: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Rounds the weights to steps of column, input by input, and lets the inputs that are left make up for the error of the
    product with x (Frantar et al. 2022, GPTQ)."""
    w, h = w.astype(np.float64), x.T.astype(np.float64) @ x / len(x)
    h[np.diag_indices_from(h)] += 0.01 * np.diag(h).mean()
    root = np.linalg.cholesky(np.linalg.inv(h)).T
    q = np.zeros_like(w)
    for i in range(len(w)):
        q[i] = np.clip(np.round(w[i] / column), -STEPS, STEPS)
        w[i + 1 :] -= np.outer(root[i, i + 1 :] / root[i, i], w[i] - q[i] * column)
    return q


def best_share(w: np.ndarray, sample: np.ndarray, top: np.ndarray) -> float:
    """The share whose quantised product is nearest to the exact one on the sample."""
    exact = sample @ w
    errors = {}
    for share in (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0):
        smooth, q, column = quantise(w, top, share)
        scaled = sample / smooth
        step = np.maximum(np.abs(scaled).max(1, keepdims=True) / STEPS, 1e-9)
        errors[share] = float(np.square(np.round(scaled / step) * step @ (q * column) - exact).mean())
    return min(errors, key=errors.get)


def build(model: Model, inputs: dict | None, half: bool = False) -> onnx.ModelProto:
    g = Graph(inputs, half)
    enc = model.encoder
    x, message, context, bias = embed(g, enc)
    for i, layer in enumerate(enc.layers):
        if i == enc.frozen:
            x = g.op("Add", x, g.op("Gather", g.const(enc.segments.weight.detach().numpy()), g.op("Cast", message, to=TensorProto.INT64)))
        x = encode_layer(g, x, bias, layer, f"encoder.layers.{i}")
    first = g.op("Gather", x, g.const(0, np.int64), axis=1)
    # One token a row, with three axes: on two the runtime would fuse product and bias into a fp32 Gemm, whose sums for
    # one row differ in the last bit from those for several.
    vectors = g.op("Concat", mean(g, x, message), mean(g, x, context), first, axis=1)
    pooled = g.op("Unsqueeze", vectors, g.const([1], np.int64))
    hidden = g.op("Gelu", g.linear(pooled, model.hidden, "hidden"))
    parts = g.op("Split", hidden, outputs=len(HEADS), axis=2, num_outputs=len(HEADS))
    outputs = []

    def give(name: str, value: str, width: int) -> None:
        g.nodes.append(helper.make_node("Cast", [value], [name], to=TensorProto.FLOAT))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]))

    for head, part in zip(HEADS, parts):
        logits = g.linear(part, model.outputs[head.name], f"outputs.{head.name}")
        give(f"logits_{head.name}", g.op("Squeeze", logits, g.const([1], np.int64)), len(head.labels))
    give("pooled", vectors, model.hidden.in_features)
    given = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "sequence"]) for n in ("input_ids", "attention_mask")]
    graph = helper.make_graph(g.nodes, "heartmark", given, outputs, g.constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="heartmark", ir_version=10)
    onnx.checker.check_model(proto)
    return proto


def embed(g: Graph, enc):
    words = enc.words.weight.detach().numpy()
    if g.inputs is None:
        x = g.op("Gather", g.const(words), "input_ids")
    else:
        step = np.maximum(np.abs(words).max(1, keepdims=True) / 127, 1e-9).astype(np.float32)
        whole = g.op("Cast", g.op("Gather", g.const(np.round(words / step), np.int8), "input_ids"), to=TensorProto.FLOAT)
        x = g.op("Mul", whole, g.op("Gather", g.const(step), "input_ids"))
    length = g.op("Shape", "input_ids", start=1, end=2)
    places = g.op("Slice", g.const(enc.places.weight.detach().numpy()[:POSITIONS]), g.const([0], np.int64), length, g.const([0], np.int64))
    x = norm(g, g.op("Add", x, places), enc.norm)
    real = g.op("Cast", "attention_mask", to=TensorProto.BOOL)
    ends = g.op("Cast", g.op("Equal", "input_ids", g.const(2, np.int64)), to=TensorProto.INT64)
    before = g.op("CumSum", ends, g.const(1, np.int64), exclusive=1)
    last = g.op("Sub", g.op("ReduceSum", ends, g.const([1], np.int64), keepdims=1), g.const(1, np.int64))
    message = g.op("And", real, g.op("Equal", before, last))
    context = g.op("And", real, g.op("Not", message))
    hole = g.op("Mul", g.op("Cast", g.op("Not", real), to=g.float), g.const(-1e4))
    return x, message, context, g.op("Unsqueeze", hole, g.const([1, 2], np.int64))


def norm(g: Graph, x: str, layer) -> str:
    return g.op("LayerNormalization", x, g.const(layer.weight.detach().numpy()), g.const(layer.bias.detach().numpy()),
                axis=-1, epsilon=layer.eps)


def encode_layer(g: Graph, x: str, bias: str, layer, name: str) -> str:
    hidden = layer.heads * layer.width
    with torch.no_grad():  # the square root of the head's width goes into the query weights
        weight, shift = layer.qkv.weight.clone(), layer.qkv.bias.clone()
        weight[:hidden] /= layer.width**0.5
        shift[:hidden] /= layer.width**0.5
    qkv = g.linear(x, layer.qkv, name + ".qkv", weight, shift)
    q, k, v = g.op("Split", qkv, outputs=3, axis=2, num_outputs=3)
    shape = g.const([0, 0, layer.heads, layer.width], np.int64)
    q = g.op("Transpose", g.op("Reshape", q, shape), perm=[0, 2, 1, 3])
    k = g.op("Transpose", g.op("Reshape", k, shape), perm=[0, 2, 3, 1])
    v = g.op("Transpose", g.op("Reshape", v, shape), perm=[0, 2, 1, 3])
    weights = g.op("Softmax", g.op("Add", g.op("MatMul", q, k), bias), axis=-1)
    mixed = g.op("Transpose", g.op("MatMul", weights, v), perm=[0, 2, 1, 3])
    mixed = g.op("Reshape", mixed, g.const([0, 0, hidden], np.int64))
    x = norm(g, g.op("Add", x, g.linear(mixed, layer.out, name + ".out")), layer.norm1)
    up = g.op("Gelu", g.linear(x, layer.up, name + ".up"))
    return norm(g, g.op("Add", x, g.linear(up, layer.down, name + ".down")), layer.norm2)


def mean(g: Graph, x: str, mask: str) -> str:
    """Weighted mean over the tokens as a product, whose order of summing does not depend on the batch."""
    weight = g.op("Cast", mask, to=g.float)
    total = g.op("MatMul", g.op("Unsqueeze", weight, g.const([1], np.int64)), x)
    count = g.op("Max", g.op("ReduceSum", weight, g.const([1], np.int64), keepdims=1), g.const([1.0]))
    return g.op("Div", g.op("Squeeze", total, g.const([1], np.int64)), count)


def equivalence(model: Model, data: str, work: str, folder: str) -> dict:
    """How far each graph's outputs are from the model's on dev rows: largest and mean difference of logits, share of equal
    first labels."""
    enc = Encoder(os.path.join(work, "tokenizer.json"))
    rows = Builder(data, "dev").all()
    chosen = [rows[i] for i in np.random.default_rng(5).choice(len(rows), SAMPLE_ROWS, replace=False)]
    out = {}
    for name in ("fp32", "fp16", "int8"):
        run = session(os.path.join(folder, f"model.{name}.onnx"))
        gaps, same = [], []
        for row in chosen:
            ids = np.array([enc.row(row.text, row.context)], np.int64)
            with torch.no_grad():
                want = model(torch.from_numpy(ids))
            got = run.run(HEADS_OUT, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            for head, values in zip(HEADS, got):
                exact = want[head.name].numpy()
                gaps.append(np.abs(exact - values).max())
                same.append(exact.argmax() == values.argmax() if head.kind == "softmax" else ((exact > 0) == (values > 0)).all())
        out[name] = {"max": float(np.max(gaps)), "mean": float(np.mean(gaps)), "same_label": float(np.mean(same))}
    return {"rows": SAMPLE_ROWS, "against": "PyTorch fp32", **out}


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("data")
    args.add_argument("run")
    args.add_argument("out")
    args = args.parse_args()
    torch.set_num_threads(2)
    model, state = load(args.run)
    for name, graph in (
        ("fp32", build(model, None)), ("fp16", build(model, None, half=True)), ("int8", build(model, sample_inputs(model, args.data, args.run)))
    ):
        path = os.path.join(args.out, f"model.{name}.onnx")
        onnx.save(graph, path)
        print(path, os.path.getsize(path), flush=True)
    settings = {k: v for k, v in state["settings"].items() if k not in ("data", "run", "resume", "threads", "fork")}
    report = {**settings, "steps": state["step"], "tokens_seen": state["seen"], "minutes_spent": round(state["spent"] / 60, 1),
              "curve": state["curve"], "common_tokens": state["common"]["seen"], "seeds": state.get("seeds", [settings["seed"]]), "equivalence": equivalence(model, args.data, args.run, args.out)}
    refit = os.path.join(args.run, "refit.json")
    if os.path.exists(refit):
        with open(refit) as given:
            report["refit"] = json.load(given)
    with open(os.path.join(args.run, "settings.json"), "w") as out:
        json.dump(report, out)
    print(report["equivalence"])


if __name__ == "__main__":
    main()
