"""The trained network as an ONNX graph: item vectors of a history in, its own vector out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recsys.types import FloatArray

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

OPSET = 20
"""Operators of ONNX that the graph uses: the first set with Gelu."""
IR_VERSION = 10
FAR = np.float32(-1e9)
"""Added to what a position may not look at."""


@dataclass(slots=True)
class _Graph:
    """Nodes and constants, collected one by one."""

    nodes: list["NodeProto"] = field(default_factory=list)
    constants: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def add(self, operator: str, *inputs: str, **settings: float | list[int]) -> str:
        """Adds a node and returns the name of its output."""
        from onnx.helper import make_node  # noqa: PLC0415  # fit only

        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(make_node(operator, list(inputs), [name], **settings))
        return name

    def constant(self, value: object, dtype: type[np.generic] = np.int64) -> str:
        """Adds a constant and returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.array(value, dtype=dtype)
        return name

    def tensors(self) -> list["TensorProto"]:
        """Returns the constants and weights as ONNX stores them."""
        from onnx.numpy_helper import from_array  # noqa: PLC0415  # fit only

        return [from_array(value, name) for name, value in self.constants.items()]


def graph_bytes(weights: Mapping[str, FloatArray], blocks: int, heads: int) -> bytes:
    """Returns the ONNX file of a network.

    Its input `history` has shape (items, dim), float32, the latest item last, as many items as
    there are positions at most; its output `vector` has shape (dim,).

    Args:
        weights: of `SequenceNetwork`, by name.
        blocks: layers of attention.
        heads: heads of each.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415  # fit only

    size = weights["positions"].shape[1]
    graph = _Graph(constants=dict(weights))
    length = graph.add("Slice", graph.add("Shape", "history"), *_range(graph, 0, 1))
    end = graph.constant([np.iinfo(np.int64).max])
    axis = graph.constant([0])
    places = graph.add("Slice", "positions", graph.add("Neg", length), end, axis)
    scaled = graph.add("Mul", "history", graph.constant(np.sqrt(size), np.float32))
    stream = graph.add("Add", scaled, places)
    mask = _causal_mask(graph, length)
    for block in range(blocks):
        stream = _block(graph, stream, mask, f"blocks.{block}.", (size, heads))
    last = graph.add("Gather", _norm(graph, stream, "norm."), graph.constant(-1), axis=0)
    graph.add("Identity", last)
    graph.nodes[-1].output[0] = "vector"
    made = helper.make_graph(
        graph.nodes,
        "sequence",
        [helper.make_tensor_value_info("history", TensorProto.FLOAT, ["items", size])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [size])],
        graph.tensors(),
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
    serialised: bytes = model.SerializeToString()
    return serialised


def _range(graph: _Graph, start: int, end: int) -> Sequence[str]:
    return graph.constant([start]), graph.constant([end])


def _causal_mask(graph: _Graph, length: str) -> str:
    """Returns what is added to scores, shape (items, items): no item looks ahead."""
    count = graph.add("Squeeze", length)
    places = graph.add("Range", graph.constant(0), count, graph.constant(1))
    looking = graph.add("Unsqueeze", places, graph.constant([1]))
    seen = graph.add("LessOrEqual", graph.add("Unsqueeze", places, graph.constant([0])), looking)
    near, far = graph.constant(0, np.float32), graph.constant(FAR, np.float32)
    return graph.add("Where", seen, near, far)


def _block(graph: _Graph, stream: str, mask: str, name: str, shape: tuple[int, int]) -> str:
    """Adds one layer: attention, then a network on each position, each added to the stream."""
    size, heads = shape
    wide = _linear(graph, _norm(graph, stream, name + "attention_norm."), name + "attention_in.")
    split = graph.add("Reshape", wide, graph.constant([-1, 3, heads, size // heads]))
    parts = graph.add("Transpose", split, perm=[1, 2, 0, 3])
    query, key, value = (
        graph.add("Gather", parts, graph.constant(place), axis=0) for place in range(3)
    )
    products = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 2, 1]))
    scale = graph.constant((size // heads) ** -0.5, np.float32)
    scores = graph.add("Add", graph.add("Mul", products, scale), mask)
    found = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
    joined = graph.add(
        "Reshape", graph.add("Transpose", found, perm=[1, 0, 2]), graph.constant([-1, size])
    )
    stream = graph.add("Add", stream, _linear(graph, joined, name + "attention_out."))
    inner = _linear(graph, _norm(graph, stream, name + "inner_norm."), name + "inner_in.")
    outer = _linear(graph, graph.add("Gelu", inner), name + "inner_out.")
    return graph.add("Add", stream, outer)


def _linear(graph: _Graph, values: str, name: str) -> str:
    turned = graph.add("Transpose", name + "weight", perm=[1, 0])
    return graph.add("Add", graph.add("MatMul", values, turned), name + "bias")


def _norm(graph: _Graph, values: str, name: str) -> str:
    return graph.add(
        "LayerNormalization", values, name + "weight", name + "bias", axis=-1, epsilon=1e-5
    )
