"""The encoder (BERT form, post layer norm) with one small head a task."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from heads import HEADS
from start_weights import Start

PAD, END = 1, 2  # <pad>, </s>
HEAD_WIDTH = 128


class Layer(nn.Module):
    def __init__(self, hidden: int, heads: int, inner: int, epsilon: float):
        super().__init__()
        self.heads, self.width = heads, hidden // heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm1 = nn.LayerNorm(hidden, eps=epsilon)
        self.up = nn.Linear(hidden, inner)
        self.down = nn.Linear(inner, hidden)
        self.norm2 = nn.LayerNorm(hidden, eps=epsilon)

    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        rows, length, hidden = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.heads, self.width).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(self.width) + bias, dim=-1)
        mixed = (weights @ v).transpose(1, 2).reshape(rows, length, hidden)
        x = self.norm1(x + self.out(mixed))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class Encoder(nn.Module):
    """Pools three vectors: mean of the message, mean of the context (zero without one), first token.

    The message is what lies between the last but one </s> (or the start) and the last one.
    """

    def __init__(self, rows: int, layers: int, frozen: int, start: Start):
        super().__init__()
        hidden = start.hidden
        self.frozen = frozen
        self.words = nn.Embedding(rows, hidden, padding_idx=PAD, sparse=True)  # a batch has few of them
        self.places = nn.Embedding(start.positions, hidden)
        self.norm = nn.LayerNorm(hidden, eps=start.epsilon)
        self.segments = nn.Embedding(2, hidden)  # 0 context, 1 message; added where training begins
        nn.init.zeros_(self.segments.weight)
        self.layers = nn.ModuleList(
            [Layer(hidden, start.heads, start.inner, start.epsilon) for _ in range(layers)]
        )

    def masks(self, ids: torch.Tensor):
        real = ids.ne(PAD)
        ends = ids.eq(END).long()
        before = ends.cumsum(1) - ends
        message = real & before.eq(ends.sum(1, keepdim=True) - 1)
        return real, message, real & ~message

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        return self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])

    def pool(self, x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """The pooled vectors of embedded tokens x."""
        real, message, context = self.masks(ids)
        bias = torch.zeros(ids.shape, dtype=x.dtype).masked_fill(~real, -1e4)[:, None, None, :]
        with torch.set_grad_enabled(torch.is_grad_enabled() and (x.requires_grad or not self.frozen)):
            for layer in self.layers[: self.frozen]:
                x = layer(x, bias)
        x = x + self.segments(message.long())
        for layer in self.layers[self.frozen :]:
            x = layer(x, bias)
        return torch.cat([_mean(x, message), _mean(x, context), x[:, 0].float()], dim=1)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.pool(self.embed(ids), ids)


def _mean(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    weight = mask.float().unsqueeze(-1)
    return (x.float() * weight).sum(1) / weight.sum(1).clamp(min=1.0)


class Model(nn.Module):
    def __init__(self, rows: int, layers: int, frozen: int, start: Start):
        super().__init__()
        self.encoder = Encoder(rows, layers, frozen, start)
        pooled = 3 * start.hidden
        self.hidden = nn.Linear(pooled, HEAD_WIDTH * len(HEADS))  # the first layers of all heads side by side
        self.outputs = nn.ModuleDict({h.name: nn.Linear(HEAD_WIDTH, len(h.labels)) for h in HEADS})
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids: torch.Tensor) -> dict[str, torch.Tensor]:
        return self.read(self.encoder(ids))

    def read(self, pooled: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by head."""
        hidden = self.dropout(F.gelu(self.hidden(self.dropout(pooled))))
        parts = hidden.split(HEAD_WIDTH, dim=1)
        return {h.name: self.outputs[h.name](part) for h, part in zip(HEADS, parts)}


def load_start(model: Model, start: Start, kept: list[int], marks: dict[int, str]) -> None:
    """Copies the start weights in: kept are the piece ids of the start model by new id; marks name, by new id, the
    piece whose vector a new mark begins with."""
    table = torch.from_numpy(start.tensor("emb.word").reshape(start.rows, start.hidden))
    words = table[torch.tensor(kept)].clone()
    place = {p: i for i, p in enumerate(start.pieces)}
    for new, piece in marks.items():
        words[new] = table[place[piece]]
    enc = model.encoder
    with torch.no_grad():
        enc.words.weight.copy_(words + torch.from_numpy(start.tensor("emb.type"))[: start.hidden])
        enc.places.weight.copy_(torch.from_numpy(start.tensor("emb.pos")).view(start.positions, -1))
        _norm(enc.norm, start, "emb.ln")
        for i, layer in enumerate(enc.layers):
            for j, part in enumerate("qkv"):
                span = slice(j * start.hidden, (j + 1) * start.hidden)
                layer.qkv.weight[span] = torch.from_numpy(start.tensor(f"l{i}.{part}.w")).view(start.hidden, -1)
                layer.qkv.bias[span] = torch.from_numpy(start.tensor(f"l{i}.{part}.b"))
            for module, name in ((layer.out, "ao"), (layer.up, "fi"), (layer.down, "fo")):
                module.weight.copy_(torch.from_numpy(start.tensor(f"l{i}.{name}.w")).view_as(module.weight))
                module.bias.copy_(torch.from_numpy(start.tensor(f"l{i}.{name}.b")))
            _norm(layer.norm1, start, f"l{i}.aln")
            _norm(layer.norm2, start, f"l{i}.oln")


def _norm(norm: nn.LayerNorm, start: Start, name: str) -> None:
    norm.weight.copy_(torch.from_numpy(start.tensor(name + ".w")))
    norm.bias.copy_(torch.from_numpy(start.tensor(name + ".b")))
