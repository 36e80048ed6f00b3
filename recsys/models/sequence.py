"""A sequence model: a small transformer that reads a history in order and says what is next.

Kang and McAuley, Self-attentive sequential recommendation (SASRec), ICDM 2018, with the losses and
norms that later work found to matter (Klenitskiy and Vasilev, Turning dross into gold loss,
RecSys 2023; Tikhonovich et al., eSASRec, RecSys 2025): items have one vector for reading and for
ranking, layer norms come first, and the loss is a sampled softmax. Torch fits it; what serves
is an ONNX graph and the items' vectors.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from recsys.data.state import StateRows, type_weight_array
from recsys.errors import ConfigError
from recsys.models.known_items import places_of
from recsys.models.latest import latest_first
from recsys.models.moments import moments
from recsys.models.protocol import Arrays, TrainingData
from recsys.models.sequence_settings import NetworkConfig
from recsys.types import FloatArray, NumArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class Sequences(NetworkConfig):
    """Trains a transformer on sequences; needs the extra `torch` to fit, `sequence` to serve."""

    kind: Literal["sequence"] = "sequence"

    def fit(self, data: TrainingData) -> "SequenceModel":
        """Trains the network, on one core unless `threads` says more.

        Raises:
            ConfigError: torch, onnx or onnxruntime is not installed.
        """
        trained, sequences = self._sequences(data)
        try:
            from recsys.models.sequence_graph import graph_bytes  # noqa: PLC0415  # fit only
            from recsys.models.sequence_network import train  # noqa: PLC0415  # imports torch
        except ImportError as error:
            raise _missing("torch", error) from error
        if not sequences:
            nothing = np.zeros((0, self.embedding_size), dtype=np.float32)
            return SequenceModel(self, trained[:0], nothing, np.zeros(0, np.uint8), None, 0.0)
        found = train(sequences, len(trained), self)
        graph = np.frombuffer(graph_bytes(found.weights, self.blocks, self.heads), dtype=np.uint8)
        session = _session(graph)
        return SequenceModel(self, trained, found.item_vectors, graph, session, found.last_loss)

    def _sequences(self, data: TrainingData) -> tuple[NumArray, list[NDArray[np.int64]]]:
        """Returns the items that get a vector, and sequences of two or more places among them."""
        read = moments(data.interactions, self)
        entries = read.items.tocoo()
        order = np.lexsort((entries.col, entries.row))
        owners, nums = read.owners[entries.row[order]], entries.col[order]
        counts = np.bincount(nums, minlength=read.items.shape[1])
        trained = np.flatnonzero(counts >= self.min_events).astype(np.int32)
        places, known = places_of(trained, nums)
        starts = np.flatnonzero(np.diff(owners[known], prepend=-1))
        parts = []
        for whole in np.split(places.astype(np.int64), starts[1:]):
            # From the end, so that only the oldest part is short; the last item of one part is
            # the first of the next, or its successor would never be asked for.
            parts += [
                whole[max(0, end - self.history_limit - 1) : end]
                for end in range(len(whole), 1, -self.history_limit)
            ]
        return trained, parts

    def restore(self, arrays: Arrays) -> "SequenceModel":
        """Returns the model with these arrays.

        Raises:
            ConfigError: onnxruntime is not installed.
        """
        graph: NDArray[np.uint8] = arrays["graph"]  # type: ignore[assignment]  # arrays() wrote it
        return SequenceModel(
            self,
            arrays["item_nums"],  # type: ignore[arg-type]
            arrays["vectors"],  # type: ignore[arg-type]
            graph,
            _session(graph) if len(graph) else None,
            float(arrays["last_loss"][0]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SequenceModel:
    """Item vectors and the graph that turns a history of them into a vector of the same kind."""

    config: Sequences
    item_nums: NumArray
    """Shape (trained,), ascending: the items that have a vector."""
    vectors: FloatArray
    """Shape (trained, embedding_size)."""
    graph: NDArray[np.uint8]
    """The bytes of an ONNX file; none where there was no sequence."""
    session: "InferenceSession | None"
    last_loss: float
    """Mean loss of the last epoch of training."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        loss = np.array([self.last_loss], dtype=np.float64)
        return {
            "item_nums": self.item_nums,
            "vectors": self.vectors,
            "graph": self.graph,
            "last_loss": loss,
        }

    def report(self) -> dict[str, float]:
        """Returns the loss that training ended with."""
        return {"last_loss": self.last_loss}

    def history(self, rows: StateRows) -> NumArray:
        """Returns the latest items of a customer, the newest last, shape (items,)."""
        types = type_weight_array(self.config.event_weights)
        nums, _, _ = latest_first(rows, types, self.config.history_limit)
        return nums[::-1]

    def vector(self, item_nums: NumArray) -> FloatArray | None:
        """Returns the vector of a history, shape (embedding_size,).

        Args:
            item_nums: in order, the newest last; the last `history_limit` that have a vector
                count. None where there is no such item.
        """
        places, _ = places_of(self.item_nums, item_nums)
        if self.session is None or len(places) == 0:
            return None
        history = self.vectors[places[-self.config.history_limit :]]
        (vector,) = self.session.run(None, {"history": np.ascontiguousarray(history)})
        found: FloatArray = vector
        return found


def _session(graph: NDArray[np.uint8]) -> "InferenceSession":
    """Opens a graph on one thread: a server's own workers share the cores."""
    try:
        from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise _missing("sequence", error) from error
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(graph.tobytes(), options, providers=["CPUExecutionProvider"])


def _missing(extra: str, error: ImportError) -> ConfigError:
    message = (
        f"a model of kind 'sequence' needs the extra {extra!r} (no module {error.name!r}): "
        f"pip install 'recsys-engine[{extra}]'"
    )
    return ConfigError(message, extra=extra)
