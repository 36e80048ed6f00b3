"""What models that score by inner products of vectors share."""

from typing import Protocol, runtime_checkable

from recsys.models.protocol import WeightedConfig
from recsys.types import FloatArray, NumArray


@runtime_checkable
class VectorModel(Protocol):
    """Item vectors, and a way to a vector of the same kind for any history.

    An item's score is the inner product of both, so that an index can find the best items.
    """

    @property
    def config(self) -> WeightedConfig:
        """Returns how events become the weights of a history."""
        ...

    @property
    def item_nums(self) -> NumArray:
        """Returns the items that have a vector, ascending, shape (trained,)."""
        ...

    @property
    def vectors(self) -> FloatArray:
        """Returns their vectors, shape (trained, embedding_size)."""
        ...

    def fold_in(self, seeds: NumArray, weights: FloatArray) -> FloatArray | None:
        """Returns the vector of somebody with this history.

        Args:
            seeds: item numbers, distinct, ascending, shape (seeds,).
            weights: above 0, as `item_weights` gives them, shape (seeds,).

        Returns:
            Shape (embedding_size,), finite; None where no seed has a vector.
        """
        ...
